"""sessions of browsers; what the page lists, shows and plays: sorted titles, posters, words with their times"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

OWN = "(SELECT NULLIF(current_setting('biblio.user', true), '')) IN ('*', user_id)"
SIGNED_IN = ("sessions", "sign_in_tokens")


def upgrade() -> None:
    for table in SIGNED_IN:
        op.create_table(
            table,
            sa.Column("digest", sa.LargeBinary(), nullable=False),
            sa.Column("user_id", sa.Text(), nullable=False),
            sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
            sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
            sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
            sa.PrimaryKeyConstraint("digest"),
        )
        op.create_index(f"{table}_by_end", table, ["expires_at"])
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON {table} USING ({OWN})")
    op.add_column("videos", sa.Column("title_folded", sa.Text(), server_default="", nullable=False))
    op.add_column("videos", sa.Column("title_key", sa.Text(collation="C"), server_default="", nullable=False))
    _fold_titles()
    op.create_index("videos_by_title", "videos", ["user_id", "title_key", "id"])
    op.add_column("videos", sa.Column("poster", sa.Integer(), nullable=True))
    op.add_column("passages", sa.Column("words", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False))


def downgrade() -> None:
    op.drop_column("passages", "words")
    op.drop_column("videos", "poster")
    op.drop_index("videos_by_title", "videos")
    op.drop_column("videos", "title_key")
    op.drop_column("videos", "title_folded")
    for table in reversed(SIGNED_IN):
        op.drop_table(table)


def _fold_titles() -> None:
    """As `domain/words.py` and `domain/video.py` did when this was written."""
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, title FROM videos")).all()
    titles = [{"id": row.id, "folded": unicodedata.normalize("NFKC", row.title).casefold()} for row in rows]
    for title in titles:
        title["key"] = re.sub(r"[0-9]+", lambda digits: digits[0].zfill(10), title["folded"])
    if titles:
        change = "UPDATE videos SET title_folded = :folded, title_key = :key WHERE id = :id"
        connection.execute(sa.text(change), titles)
