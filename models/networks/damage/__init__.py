"""Networks for building damage: a picture from before an event, a SAR image from after it."""
