/** The song and the dance of a Beats node, as its graph tells. */
import { fileUrl, linkOf, namedFile, sourceOf, widgetOf } from "../shared/host.js";

/** Seconds of the song at which the dance starts, as a node that gets the beats tells, else 0. */
export function danceStart(node) {
  for (const id of node.outputs?.[0]?.links ?? []) {
    const target = node.graph?.getNodeById(linkOf(node.graph, id)?.target_id);
    const start = target && widgetOf(target, "start");
    if (start) return Number(start.value) || 0;
  }
  return 0;
}

/** Address of the sound file that a "Load audio" node gives to `node`; empty where none does. */
export function songUrl(node) {
  const source = sourceOf(node, "audio");
  const file = source?.type === "LoadAudio" && namedFile(source, "audio");
  return file ? fileUrl(file) : "";
}
