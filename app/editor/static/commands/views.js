/* Panes and their layout. */

export const VIEWS = [];
