/** The pack's part in the browser: editors on the nodes Beats and Rig. */
import { app } from "../../scripts/app.js";
import { addRigEditor } from "./rig/widget.js";
import { addBeatTimeline } from "./timeline/widget.js";

const EDITORS = { MuseDance_ExtractBeats: addBeatTimeline, MuseDance_Rig: addRigEditor };

app.registerExtension({
  name: "musedance.Editors",
  nodeCreated(node) {
    EDITORS[node.comfyClass]?.(node);
  },
});
