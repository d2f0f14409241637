import assert from "node:assert/strict";
import { test } from "node:test";

import { nameFilm } from "../../../utils/live/static/recorder.js";
import { formatLabels, formatVideos } from "../../../utils/live/static/savers.js";

test("a film is named by who is in it and when, whatever was typed", () => {
  const date = new Date(2026, 0, 2, 3, 4, 5);
  assert.equal(nameFilm("Zoë", date), "Zoë_20260102_030405");
  assert.equal(nameFilm("../a b/c", date), "a_b_c_20260102_030405");
  assert.equal(nameFilm("  ", date), "camera_20260102_030405");
});

test("labels are written as Python reads them", () => {
  const span = { video: "me_1", start_s: 0.5, end_s: 2.25, label: 'sitting, "low"' };
  assert.equal(
    formatLabels([span]),
    'video,start_s,end_s,label\nme_1,0.500,2.250,"sitting, ""low"""\n',
  );
  assert.equal(formatVideos([{ name: "me_1", who: "me" }]), "video,subject\nme_1,me\n");
});
