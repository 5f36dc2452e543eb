/* Commands on many pixels. */

export const BULK = [];
