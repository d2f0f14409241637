/* Where recordings are kept: each has `begin({name, who, suffix})`, `add(name, blob)`,
 * `label(name, span)` and `end(name)`, promises that are kept once it is safe.
 */

const quote = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The text of labels.csv: spans {video, start_s, end_s, label}. */
export function formatLabels(spans) {
  const rows = spans.map((span) =>
    [quote(span.video), span.start_s.toFixed(3), span.end_s.toFixed(3), quote(span.label)].join(","),
  );
  return ["video,start_s,end_s,label", ...rows, ""].join("\n");
}

/** The text of videos.csv: who is in which film. */
export function formatVideos(films) {
  return ["video,subject", ...films.map(({ name, who }) => `${quote(name)},${quote(who)}`), ""].join("\n");
}

/** Has somebody else keep recordings: `ask(type, content, bytes or null)`. */
export class RemoteSaver {
  constructor(ask) {
    this.ask = ask;
    this.place = "in the folder of videos; make run takes it";
  }

  begin(film) {
    return this.ask("begin", film, null);
  }

  async add(name, blob) {
    return this.ask("add", { name }, await blob.arrayBuffer());
  }

  label(name, { start_s, end_s, label }) {
    return this.ask("label", { name, start_s, end_s, label }, null);
  }

  end(name) {
    return this.ask("end", { name }, null);
  }
}

/** Keeps recordings in the page, to be taken by download. */
export class DownloadSaver {
  constructor() {
    this.films = [];
    this.spans = [];
    this.place = "as downloads";
  }

  async begin(film) {
    this.films.push({ ...film, parts: [] });
  }

  async add(name, blob) {
    this.films.find((film) => film.name === name).parts.push(blob);
  }

  async label(_, span) {
    this.spans.push(span);
  }

  async end() {}

  /** What there is to download: [{name, blob}]. */
  list() {
    const text = (content) => new Blob([content], { type: "text/csv" });
    const films = this.films.map(({ name, suffix, parts }) => ({
      name: name + suffix,
      blob: new Blob(parts, { type: parts[0]?.type }),
    }));
    return [
      ...films,
      { name: "labels.csv", blob: text(formatLabels(this.spans)) },
      { name: "videos.csv", blob: text(formatVideos(this.films)) },
    ];
  }
}
