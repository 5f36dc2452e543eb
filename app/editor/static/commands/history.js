/* History: undo, the timeline, earlier versions. */

export const HISTORY = [];
