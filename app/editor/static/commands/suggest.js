/* Suggestions. */

export const SUGGEST = [];
