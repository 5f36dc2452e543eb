/* Tools that draw shapes or follow the images. */

export const SHAPES = [];
