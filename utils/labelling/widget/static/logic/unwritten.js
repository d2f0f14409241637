/* What was never acknowledged, kept in the browser so that another page can offer it. */

const OLD_MS = 60_000; // a page that wrote nothing for so long has crashed

export class Unwritten {
  /** `storage` is the browser's, or null where pages may keep nothing. */
  constructor(storage, viewId) {
    this.storage = storage;
    this.viewId = viewId;
    this.key = null;
  }

  /** Labels of this file; before it is known nothing can be kept. */
  open(file) {
    this.key = `labeller, not written: ${file}`;
  }

  /** Keep what is not on disk now; `isLeft`: this page will not see to it. */
  keep(spans, now, isLeft = false) {
    this.change((views) => {
      if (spans.length) views[this.viewId] = { at: now, isLeft, spans };
      else delete views[this.viewId];
    });
  }

  /** Take over what other pages have left. */
  take(now) {
    const taken = [];
    this.change((views) => {
      for (const [viewId, { at, isLeft, spans }] of Object.entries(views)) {
        if (viewId === this.viewId || !(isLeft || now - at > OLD_MS)) continue;
        taken.push(...spans);
        delete views[viewId];
      }
    });
    return taken;
  }

  change(edit) {
    if (!this.key || !this.storage) return;
    try {
      const before = this.storage.getItem(this.key);
      const views = JSON.parse(before ?? "{}");
      edit(views);
      const after = JSON.stringify(views);
      if (after === "{}") before === null || this.storage.removeItem(this.key);
      else if (after !== before) this.storage.setItem(this.key, after);
    } catch {
      this.storage = null; // full, or forbidden: the page still says what is not saved
    }
  }
}
