"""what a scan found, tallies, simulated acquisitions and settings of a project

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = (
    ("tile", sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=True)),
    ("tile", sa.Column("problem", sa.Text(), nullable=True)),
    ("tile", sa.Column("lon", sa.Float(), nullable=True)),
    ("tile", sa.Column("lat", sa.Float(), nullable=True)),
    ("tile", sa.Column("patch_codes", sa.JSON(), nullable=True)),
    ("layer", sa.Column("stats", sa.JSON(), nullable=True)),
    ("acquisition", sa.Column("simulated", sa.JSON(), nullable=True)),
    ("project", sa.Column("options", sa.JSON(), nullable=True)),
)


def upgrade() -> None:
    for table, column in COLUMNS:
        op.add_column(table, column)
    # Until now every import read all pixels.
    op.execute(
        "UPDATE tile SET scanned_at = "
        "(SELECT created_at FROM project WHERE project.id = tile.project_id)"
    )
    _place_centres()
    op.create_table(
        "tally",
        sa.Column("tile_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("map", sa.String(length=200), nullable=False),
        sa.Column("pixels", sa.JSON(), nullable=False),
        sa.Column("present", sa.Text(), nullable=False),
        sa.Column("disagreement", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["tile_id"], ["tile.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tile_id"),
    )


def _place_centres() -> None:
    tile = sa.table(
        "tile",
        sa.column("id", sa.Integer),
        sa.column("lonlat", sa.JSON),
        sa.column("lon", sa.Float),
        sa.column("lat", sa.Float),
    )
    connection = op.get_bind()
    for row_id, corners in connection.execute(sa.select(tile.c.id, tile.c.lonlat)).all():
        if corners:
            lon, lat = (sum(corner[axis] for corner in corners) / len(corners) for axis in (0, 1))
            connection.execute(sa.update(tile).where(tile.c.id == row_id).values(lon=lon, lat=lat))


def downgrade() -> None:
    op.drop_table("tally")
    for table, column in reversed(COLUMNS):
        op.drop_column(table, column.name)
