/* What the worker can do: pure functions on arrays. */

import * as raster from './raster.js';
import {classOf, regionOf} from './regions.js';
import {tidied} from './tidy.js';

export const FUNCTIONS = {...raster, classOf, regionOf, tidied};
