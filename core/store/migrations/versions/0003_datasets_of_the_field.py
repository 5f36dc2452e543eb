"""what a scan found, simulated acquisitions and settings of a project

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


def downgrade() -> None:
    for table, column in reversed(COLUMNS):
        op.drop_column(table, column.name)
