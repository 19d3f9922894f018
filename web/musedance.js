/** The pack's part in the browser: the beat timeline on its Beats node. */
import { app } from "../../scripts/app.js";
import { addBeatTimeline } from "./timeline/widget.js";

app.registerExtension({
  name: "musedance.BeatTimeline",
  nodeCreated(node) {
    if (node.comfyClass === "MuseDance_ExtractBeats") addBeatTimeline(node);
  },
});
