/** The song's envelope finer than the node gives it, out of the sound itself. */

const RATE = 8000;
const PEAKS_A_SECOND = 200;
const PART = RATE / PEAKS_A_SECOND;

/**
 * The largest amplitude in every 5 ms, the largest of all being 1.
 * @param {string} url @param {number} seconds of the song, as the node has it
 * @returns {Promise<Float32Array | null>} null where the sound at `url` is another song or none.
 */
export async function finePeaks(url, seconds) {
  const answer = await fetch(url);
  if (!answer.ok) return null;
  const context = new OfflineAudioContext(1, 1, RATE);
  const sound = await context.decodeAudioData(await answer.arrayBuffer()).catch(() => null);
  if (!sound || Math.abs(sound.duration - seconds) > 0.1) return null;
  const peaks = new Float32Array(Math.round(seconds * PEAKS_A_SECOND));
  for (let channel = 0; channel < sound.numberOfChannels; channel++)
    sound.getChannelData(channel).forEach((sample, at) => {
      const part = Math.floor(at / PART);
      if (Math.abs(sample) > peaks[part]) peaks[part] = Math.abs(sample);
    });
  const most = peaks.reduce((one, other) => Math.max(one, other), 1e-9);
  return peaks.map((peak) => peak / most);
}
