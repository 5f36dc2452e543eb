"""effects of edits, presence, and layers shifted for display

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("edit", sa.Column("effect", sa.String(length=12), nullable=True))
    op.create_index("ix_edit_group_id", "edit", ["group_id"])
    if op.get_bind().dialect.name != "sqlite":  # SQLite holds no text to its length
        op.alter_column("edit", "restrict", type_=sa.String(length=200))
    for name in ("nudge_y", "nudge_x"):
        op.add_column("layer", sa.Column(name, sa.Float(), server_default="0", nullable=False))
    op.create_table(
        "presence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tile_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tile_id"], ["tile.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tile_id", "client_id"),
    )
    op.create_index("ix_presence_tile_id", "presence", ["tile_id"])


def downgrade() -> None:
    op.drop_table("presence")
    for name in ("nudge_x", "nudge_y"):
        op.drop_column("layer", name)
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("edit", "restrict", type_=sa.String(length=20))
    op.drop_index("ix_edit_group_id", "edit")
    op.drop_column("edit", "effect")
