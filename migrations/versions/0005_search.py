"""passages of one sentence each, blocks of their terms, words to suggest"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

OWN = "(SELECT NULLIF(current_setting('biblio.user', true), '')) IN ('*', user_id)"


def upgrade() -> None:
    """Transcripts stay. What is found by them does not: `biblio check --mend` makes it anew."""
    op.drop_table("passages")
    op.create_table(
        "passages",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("video_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("start_time", sa.Float(), nullable=False),
        sa.Column("end_time", sa.Float(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("video_id", "generation", "position"),
    )
    op.execute(
        "INSERT INTO passages SELECT gen_random_uuid(), s.video_id, v.user_id, s.generation, s.position, s.start_time, "
        "s.end_time, s.text FROM segments s JOIN videos v ON v.id = s.video_id"
    )
    op.drop_table("segments")
    op.execute("ALTER TABLE passages ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE passages FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own_rows ON passages USING ({OWN})")
    op.create_table(
        "blocks",
        sa.Column("video_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("lot", sa.Integer(), nullable=False),
        sa.Column("before", sa.SmallInteger(), nullable=False),
        sa.Column("own", sa.SmallInteger(), nullable=False),
        sa.Column("shown", sa.SmallInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("terms", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("video_id", "generation", "number"),
    )
    # Numbers without a pattern: it would only be tried to make them smaller.
    op.execute("ALTER TABLE blocks ALTER content SET STORAGE EXTERNAL")
    op.create_index("blocks_by_user", "blocks", ["user_id", "lot"])
    # Without a list of what is still to be put in its place: every look-up would read all of it.
    op.create_index(
        "blocks_by_term", "blocks", ["terms"], postgresql_using="gin", postgresql_with={"fastupdate": "off"}
    )
    op.create_table(
        "words",
        sa.Column("video_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("said", sa.Integer(), nullable=False),
        sa.Column("letters", sa.Text(collation="C"), nullable=False),
        sa.Column("initials", sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("video_id", "generation", "word"),
    )
    op.create_index("words_by_letters", "words", ["user_id", "letters"])
    op.create_index("words_by_initials", "words", ["user_id", "initials"])
    op.execute("ALTER TABLE words ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE words FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own_rows ON words USING ({OWN})")
    op.add_column(
        "videos",
        sa.Column("title_terms", postgresql.ARRAY(sa.Integer()), server_default=sa.text("'{}'"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("videos", "title_terms")
    op.drop_table("words")
    op.drop_table("blocks")
    op.create_table(
        "segments",
        sa.Column("video_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("start_time", sa.Float(), nullable=False),
        sa.Column("end_time", sa.Float(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("video_id", "generation", "position"),
    )
    op.execute("INSERT INTO segments SELECT video_id, generation, position, start_time, end_time, text FROM passages")
    op.drop_table("passages")
    op.create_table(
        "passages",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("video_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("start_time", sa.Float(), nullable=False),
        sa.Column("end_time", sa.Float(), nullable=False),
        sa.Column("sentences", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("terms", postgresql.TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("video_id", "generation", "position"),
    )
    op.create_index("passages_by_term", "passages", ["terms"], postgresql_using="gin")
    op.create_index("passages_by_user", "passages", ["user_id"])
    guarded = "(SELECT NULLIF(current_setting('biblio.user', true), ''))"
    segment = f"{guarded} = '*' OR {guarded} = (SELECT user_id FROM videos WHERE videos.id = video_id)"
    for table, condition in (("passages", OWN), ("segments", segment)):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON {table} USING ({condition})")
