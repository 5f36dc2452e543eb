"""The four regions of the land-cover demo, each in a real UTM zone and with its own character."""

from dataclasses import dataclass, field, replace

from core.clouds.sun import Sun
from data.demo.layout import Plan
from data.demo.palette import PAINTED, SLATE, TERRACOTTA, Palette
from data.demo.sar import Geometry
from data.demo.scene import Place


@dataclass(frozen=True)
class Region:
    """A place on the map: CRS, easting and northing of its upper left corner, and its seed."""

    name: str
    place: Place
    seed: int
    crs: str
    corner: tuple[float, float]
    geometry: Geometry = field(default_factory=Geometry)


RIVER_TOWN = Place(
    Plan(
        water="river",
        town=("round", 0.75),
        bend_px=55,
        country=(0.5, 0.25, 0.15, 0.05, 0.05),
        quarters=(0.25, 0.47, 0.06, 0.08, 0.07, 0.07),
    ),
    Palette(roofs=SLATE + SLATE + TERRACOTTA, water=(58, 78, 72)),
    Sun(155, 46),
)

FARMLAND = Place(
    Plan(
        water="pond",
        town=("dots", 0.07),
        cell_px=(420, 300),
        bend_px=30,
        country=(0.66, 0.12, 0.12, 0.04, 0.06),
        quarters=(0.0, 0.8, 0.1, 0.05, 0.0, 0.05),
        relief_m=4,
        hedges=0.35,
    ),
    Palette(roofs=TERRACOTTA + PAINTED, water=(50, 66, 58)),
    Sun(140, 52),
)

COASTAL_CITY = Place(
    Plan(
        water="coast",
        town=("coast", 0.86),
        block_px=(150, 110),
        bend_px=18,
        staggered=False,
        country=(0.1, 0.35, 0.25, 0.2, 0.1),
        quarters=(0.34, 0.25, 0.14, 0.08, 0.12, 0.07),
        relief_m=3,
        garden_trees=0.35,
    ),
    Palette(roofs=PAINTED + SLATE, water=(36, 66, 82)),
    Sun(165, 50),
)

HILL_VILLAGE = Place(
    Plan(
        water="stream",
        town=("dots", 0.2),
        cell_px=(280, 220),
        bend_px=95,
        country=(0.2, 0.22, 0.36, 0.15, 0.07),
        quarters=(0.15, 0.65, 0.0, 0.1, 0.05, 0.05),
        relief_m=26,
        hedges=0.6,
        garden_trees=0.7,
    ),
    Palette(roofs=TERRACOTTA, water=(46, 72, 66)),
    Sun(135, 42),
)

REGIONS = (
    Region("river-town", RIVER_TOWN, 11, "EPSG:32631", (429_500.0, 5_251_200.0)),
    Region("farmland", FARMLAND, 12, "EPSG:32634", (352_800.0, 5_803_600.0), Geometry("right")),
    Region("coastal-city", COASTAL_CITY, 13, "EPSG:32654", (419_300.0, 3_937_900.0)),
    Region(
        "hill-village", HILL_VILLAGE, 14, "EPSG:32632", (690_400.0, 4_806_700.0), Geometry("right")
    ),
)


def _elsewhere() -> tuple[Region, ...]:
    """Return the regions that the pseudo-labeller learnt from: other places, another season.

    Early spring on grey ground: fields lie bare or just sown, grass is pale, bare land is rare and
    grey, roofs and light differ. What a network learns here is partly wrong in the demo.
    """
    spring = Palette(
        roofs=SLATE + PAINTED + TERRACOTTA[:1],
        crowns=((92, 98, 66), (74, 84, 58), (104, 100, 72), (64, 80, 50)),
        crops=(0.04, 0.2, 0.26, 0.4, 0.1),
        water=(52, 76, 84),
    ).tinted(
        meadow=(0.94, 1.0, 0.86),
        grass=(0.9, 1.0, 0.92),
        scrub=(1.0, 0.96, 0.95),
        soil=(0.88, 0.96, 1.1),
        paving=(1.06, 1.04, 1.0),
        asphalt=(0.9, 0.9, 0.93),
        parking=(0.9, 0.9, 0.93),
        ploughed=(0.98, 0.97, 0.95),
    )
    made = []
    for number, (place, sun) in enumerate(
        (
            (RIVER_TOWN, Sun(190, 40)),
            (FARMLAND, Sun(205, 44)),
            (COASTAL_CITY, Sun(195, 38)),
            (HILL_VILLAGE, Sun(210, 44)),
            (RIVER_TOWN, Sun(150, 36)),
            (FARMLAND, Sun(165, 40)),
        )
    ):
        plan = replace(
            place.plan,
            country=(*place.plan.country[:4], 0.015),
            quarters=(*place.plan.quarters[:5], 0.015),
        )
        other = replace(place, plan=plan, palette=spring, sun=sun)
        made.append(Region(f"elsewhere-{number + 1}", other, 900 + number, "EPSG:32633", (0, 0)))
    return tuple(made)


ELSEWHERE = _elsewhere()
