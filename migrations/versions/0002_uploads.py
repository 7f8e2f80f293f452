"""uploads in parts, their expiry, and answers to repeated requests"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("videos", sa.Column("part_size", sa.BigInteger(), nullable=True))
    op.add_column("videos", sa.Column("sha256", sa.Text(), nullable=True))
    op.add_column("videos", sa.Column("fingerprint", sa.Text(), nullable=True))
    op.add_column("videos", sa.Column("acknowledged", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute("UPDATE videos SET acknowledged = true WHERE status <> 'UPLOADING'")
    op.create_index(
        "videos_uploading", "videos", ["user_id"], unique=False, postgresql_where=sa.text("status = 'UPLOADING'")
    )
    op.create_index(
        "videos_unacknowledged",
        "videos",
        ["user_id", "fingerprint"],
        unique=False,
        postgresql_where=sa.text("NOT acknowledged"),
    )
    op.create_table(
        "uploads",
        sa.Column("video_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("upload_id", sa.Text(), nullable=True),
        sa.Column("checksums", sa.Boolean(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("look_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("video_id"),
    )
    op.create_index("uploads_to_look_at", "uploads", ["look_at"], unique=False)
    op.create_table(
        "answers",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "key"),
    )
    op.create_index("answers_by_age", "answers", ["created_at"], unique=False)
    # What was uploading before has a week from now, as if it had begun just now.
    op.execute(
        "INSERT INTO uploads (video_id, expires_at, signed_until) "
        "SELECT id, now() + interval '7 days', now() + interval '7 days' FROM videos WHERE status = 'UPLOADING'"
    )


def downgrade() -> None:
    op.drop_index("answers_by_age", table_name="answers")
    op.drop_table("answers")
    op.drop_index("uploads_to_look_at", table_name="uploads")
    op.drop_table("uploads")
    op.drop_index("videos_unacknowledged", table_name="videos", postgresql_where=sa.text("NOT acknowledged"))
    op.drop_index("videos_uploading", table_name="videos", postgresql_where=sa.text("status = 'UPLOADING'"))
    op.drop_column("videos", "acknowledged")
    op.drop_column("videos", "fingerprint")
    op.drop_column("videos", "sha256")
    op.drop_column("videos", "part_size")
