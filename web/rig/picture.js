/** The picture behind the rig: the file that the graph loads, else that of the last run. */
import { fileUrl, namedFile, sourceOf } from "../shared/host.js";

/** @typedef {{filename: string, subfolder: string, type: string}} File */

/** The file that a "Load Image" node gives to `node`, if one does. @returns {File | null} */
export function loadedFile(node) {
  const source = sourceOf(node, "image");
  return source?.type === "LoadImage" ? namedFile(source, "image") : null;
}

/** A name of the file for comparisons; empty for none. @param {File | null} file */
export const nameOf = (file) => (file ? `${file.type}/${file.subfolder}/${file.filename}` : "");

/** An image of the host that is loaded once, and anew where its file is another. */
export class Picture {
  /** @param {() => void} changed is called when there is another image to show */
  constructor(changed) {
    this.changed = changed;
    /** @type {HTMLImageElement | null} Null while it is loading or missing. */
    this.image = null;
    this.name = "";
  }

  /** Width and height in pixels, if there is an image. @returns {[number, number] | null} */
  get size() {
    return this.image && [this.image.naturalWidth, this.image.naturalHeight];
  }

  /** From now on this file is shown. @param {File | null} file */
  show(file) {
    const name = nameOf(file);
    if (name === this.name) return;
    this.name = name;
    this.image = null;
    if (!file) return;
    const image = new Image();
    image.onload = () => {
      if (this.name !== name) return;
      this.image = image;
      this.changed();
    };
    image.src = fileUrl(file);
  }
}
