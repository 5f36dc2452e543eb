/* The gestures of the pointer, one class for each tool that can be in hand. A gesture gets the `hand`
and is made once per editor. Static `paints = false` marks those that give pixels no class or effect of
the person's choice, static `passing = true` those that are left as soon as they are done. All methods
are optional but `press`:

press(at, keys)        the button goes down; returns whether the stroke goes on
drag(at, keys)         the pointer moves with the button down
release(at, keys)      the button goes up
hover(at, keys)        the pointer moves, the button up; `at` is null when it leaves the panes
doubleClick(at, keys)  after its two presses
key(name)              a key, named as in commands.js; returns true when it was meant for the gesture
cancel()               drop what was begun, Escape or another tool; returns true when there was something
putDown()              in place of cancel() where another tool is taken, for those that work on after the release
unfinished             what would be lost by leaving the tile, in words, or null
stamp(keys)            {diameter, square} of the outline at the cursor, for tools that have one

`at` is {x, y} in tile pixels, with fractions; `keys` is {shift, ctrl, alt, pressure}, pressure from 0 to 1
for pens that tell it, else null. */

import {Area} from './area.js';
import {Brush} from './brush.js';
import {Encircle} from './encircle.js';
import {Fill, FillAll} from './fill.js';
import {ObjectTool} from './object.js';
import {Polygon} from './polygon.js';
import {Superpixel} from './superpixel.js';
import {Wand} from './wand.js';

export const GESTURES = {brush: Brush, fill: Fill, fill_all: FillAll, area: Area,
  polygon: Polygon, encircle: Encircle, wand: Wand, superpixel: Superpixel, object: ObjectTool};
