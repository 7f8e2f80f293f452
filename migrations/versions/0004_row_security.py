"""a user's rows are shown to that user alone"""

from alembic import op

revision = "0004"
down_revision = "0003"

SAID = "(SELECT NULLIF(current_setting('biblio.user', true), ''))"
OWN = SAID + " IN ('*', {column})"
# Row by row, through the primary key: IN and EXISTS read all videos first.
OWN_VIDEO = f"{SAID} = '*' OR {SAID} = (SELECT user_id FROM videos WHERE videos.id = video_id)"
GUARDED = {
    "users": OWN.format(column="id"),
    **dict.fromkeys(
        ("api_keys", "videos", "answers", "video_events", "usage", "passages", "deletions"),
        OWN.format(column="user_id"),
    ),
    **dict.fromkeys(("uploads", "segments"), OWN_VIDEO),
}


def upgrade() -> None:
    for table, condition in GUARDED.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON {table} USING ({condition})")


def downgrade() -> None:
    for table in reversed(GUARDED):
        op.execute(f"DROP POLICY own_rows ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
