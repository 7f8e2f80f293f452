"""owners, tries and checkpoints of jobs; turns, events and usage"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

JSON = postgresql.JSONB(astext_type=sa.Text())
MOMENT = sa.DateTime(timezone=True)
FILL = """
    UPDATE jobs
    SET user_id = videos.user_id,
        place = CASE jobs.step WHEN 'transcribe' THEN 1 WHEN 'delete' THEN 2 ELSE 0 END,
        state = CASE WHEN jobs.generation <> videos.generation AND jobs.state IN ('READY', 'RUNNING') THEN 'VOID'
                ELSE jobs.state END
    FROM videos WHERE videos.id = jobs.video_id
"""


def upgrade() -> None:
    op.add_column("users", sa.Column("last_event", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    for name in ("tries", "deaths"):
        op.add_column("jobs", sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("jobs", sa.Column("owner", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("checkpoint", JSON, server_default=sa.text("'{}'"), nullable=False))
    op.add_column("jobs", sa.Column("claimed_at", MOMENT, nullable=True))
    op.add_column("jobs", sa.Column("worked", sa.Float(), server_default=sa.text("0"), nullable=False))
    op.add_column("jobs", sa.Column("user_id", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("place", sa.SmallInteger(), nullable=True))
    op.execute(FILL)
    op.alter_column("jobs", "user_id", nullable=False)
    op.alter_column("jobs", "place", nullable=False)
    op.drop_index("jobs_open", table_name="jobs")
    open_jobs = sa.text("state IN ('READY', 'RUNNING')")
    by_turn = ["queue", "user_id", "place", "created_at", "video_id"]
    op.create_index("jobs_open", "jobs", by_turn, postgresql_where=open_jobs)
    op.create_index("jobs_by_owner", "jobs", ["owner"], postgresql_where=sa.text("state = 'RUNNING'"))
    op.create_table(
        "turns",
        sa.Column("user_id", sa.Text(), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("queue", sa.Text(), primary_key=True),
        sa.Column("served_at", MOMENT, nullable=False),
    )
    op.create_table(
        "video_events",
        sa.Column("user_id", sa.Text(), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("video_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("step", sa.Text(), nullable=True),
        sa.Column("failure", JSON, nullable=True),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("at", MOMENT, server_default=sa.text("now()"), nullable=False),
    )
    op.create_index("video_events_by_video", "video_events", ["video_id", "id"])
    op.create_table(
        "usage",
        sa.Column("video_id", sa.Uuid(as_uuid=False), primary_key=True),
        sa.Column("generation", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("unit", sa.Text(), primary_key=True),
        sa.Column("user_id", sa.Text(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("amount", sa.Float(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, server_default=sa.text("now()"), nullable=False),
    )
    op.create_index("usage_by_user", "usage", ["user_id", "at"])


def downgrade() -> None:
    for table in ("usage", "video_events", "turns"):
        op.drop_table(table)
    op.drop_index("jobs_by_owner", table_name="jobs")
    op.drop_index("jobs_open", table_name="jobs")
    op.create_index("jobs_open", "jobs", ["state"], postgresql_where=sa.text("state IN ('READY', 'RUNNING')"))
    op.execute("UPDATE jobs SET state = 'READY' WHERE state = 'VOID'")
    op.execute("DELETE FROM jobs WHERE step = 'cleanup'")
    for name in ("place", "user_id", "worked", "claimed_at", "checkpoint", "owner", "deaths", "tries"):
        op.drop_column("jobs", name)
    op.drop_column("users", "last_event")
