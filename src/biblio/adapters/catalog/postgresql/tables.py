"""The catalog's tables. Their history is in migrations/; this is what they look like now."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()


def _moment(name: str, *, now: bool = False) -> "Column[object]":
    return Column(name, DateTime(timezone=True), nullable=not now, server_default=func.now() if now else None)


users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    # The id of the newest event: counted here, so that a user's events have no gap and become visible in order.
    Column("last_event", BigInteger, nullable=False, server_default=text("0")),
    _moment("created_at", now=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    _moment("created_at", now=True),
)

# Browsers that are signed in.
sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    _moment("created_at", now=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("sessions_by_end", "expires_at"),
)

# Each signs one browser in, once.
sign_in_tokens = Table(
    "sign_in_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    _moment("created_at", now=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("sign_in_tokens_by_end", "expires_at"),
)

videos = Table(
    "videos",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("title", Text, nullable=False),
    # What a list is filtered and sorted by.
    Column("title_folded", Text, nullable=False, server_default=text("''")),
    Column("title_key", Text(collation="C"), nullable=False, server_default=text("''")),
    # As those of blocks.
    Column("title_terms", ARRAY(Integer), nullable=False, server_default=text("'{}'")),
    Column("file_name", Text, nullable=False),
    Column("file_size", BigInteger, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("etag", Text),
    Column("part_size", BigInteger),
    Column("sha256", Text),
    Column("fingerprint", Text),
    Column("acknowledged", Boolean, nullable=False, server_default=text("false")),
    Column("status", Text, nullable=False),
    Column("step", Text),
    Column("progress", Integer, nullable=False, server_default=text("0")),
    Column("failure", JSONB),
    Column("options", JSONB, nullable=False, server_default=text("'{}'")),
    Column("generation", Integer, nullable=False, server_default=text("1")),
    Column("duration", Float),
    Column("language", Text),
    # Counts its pictures; NULL without one.
    Column("poster", Integer),
    # The specification's schema (step 5): video_id, script, meta_info.
    Column("script", Text, nullable=False, server_default=text("''")),
    Column("meta_info", JSONB, nullable=False, server_default=text("'{}'")),
    # The generation that readers see; NULL until one was indexed.
    Column("indexed_generation", Integer),
    _moment("created_at", now=True),
    _moment("updated_at", now=True),
    Index("videos_by_user", "user_id", "created_at", "id"),
    Index("videos_by_title", "user_id", "title_key", "id"),
    Index("videos_uploading", "user_id", postgresql_where=text("status = 'UPLOADING'")),
    Index("videos_unacknowledged", "user_id", "fingerprint", postgresql_where=text("NOT acknowledged")),
)

# Without a foreign key: what was signed for a video may still be written after the video is gone.
uploads = Table(
    "uploads",
    metadata,
    Column("video_id", Uuid(as_uuid=False), primary_key=True),
    # Storage's name of the multipart upload; NULL until the first part is signed, and for one PUT.
    Column("upload_id", Text),
    Column("checksums", Boolean),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    _moment("signed_until"),
    _moment("active_at", now=True),
    _moment("look_at", now=True),
    Index("uploads_to_look_at", "look_at"),
)

answers = Table(
    "answers",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("answer", JSONB, nullable=False),
    _moment("created_at", now=True),
    Index("answers_by_age", "created_at"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("video_id", ForeignKey("videos.id", ondelete="CASCADE"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("step", Text, primary_key=True),
    # Whose it is, and its place among that user's jobs in the queue: what is next is then found without the videos.
    Column("user_id", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("place", SmallInteger, nullable=False),
    # READY, RUNNING, DONE, FAILED; VOID when the video began another generation before it ended.
    Column("state", Text, nullable=False),
    # The fence: counts every claim. `tries` and `deaths` count what speaks against the file.
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("deaths", Integer, nullable=False, server_default=text("0")),
    Column("owner", Text),
    Column("checkpoint", JSONB, nullable=False, server_default=text("'{}'")),
    Column("result", JSONB),
    _moment("told_at"),
    _moment("not_before"),
    _moment("lease_until"),
    _moment("created_at", now=True),
    _moment("claimed_at"),
    _moment("ended_at"),
    # Seconds, of all attempts that ended.
    Column("worked", Float, nullable=False, server_default=text("0")),
    Index(
        "jobs_open",
        *("queue", "user_id", "place", "created_at", "video_id"),
        postgresql_where=text("state IN ('READY', 'RUNNING')"),
    ),
    Index("jobs_by_owner", "owner", postgresql_where=text("state = 'RUNNING'")),
)

# When a user was last served in a queue: whoever waits longest is next.
turns = Table(
    "turns",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("queue", Text, primary_key=True),
    Column("served_at", DateTime(timezone=True), nullable=False),
)

# Without a foreign key to the video: that one was deleted is an event too.
video_events = Table(
    "video_events",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("id", BigInteger, primary_key=True),
    Column("video_id", Uuid(as_uuid=False), nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("progress", Integer, nullable=False),
    Column("step", Text),
    Column("failure", JSONB),
    Column("detail", JSONB, nullable=False),
    _moment("at", now=True),
    Index("video_events_by_video", "video_id", "id"),
)

# Without a foreign key to the video: what was used stays used.
usage = Table(
    "usage",
    metadata,
    Column("video_id", Uuid(as_uuid=False), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("engine", Text, primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("amount", Float, nullable=False),
    _moment("at", now=True),
    Index("usage_by_user", "user_id", "at"),
)

# One sentence each: the transcript, and what is found.
passages = Table(
    "passages",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("video_id", ForeignKey("videos.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("start_time", Float, nullable=False),
    Column("end_time", Float, nullable=False),
    Column("text", Text, nullable=False),
    # [[word, start, end], …]; empty in what was transcribed before words were kept.
    Column("words", JSONB, nullable=False, server_default=text("'[]'")),
    UniqueConstraint("video_id", "generation", "position"),
)

# The terms of some passages in a row, and of those around them (blocks.py). Not guarded by row level security, which
# would keep the index on `terms` from being used: a term is a number that only its user's name leads to.
blocks = Table(
    "blocks",
    metadata,
    Column("video_id", ForeignKey("videos.id", ondelete="CASCADE"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("user_id", Text, nullable=False),
    # Random: the blocks with the smallest ones are a sample of all.
    Column("lot", Integer, nullable=False),
    Column("before", SmallInteger, nullable=False),
    Column("own", SmallInteger, nullable=False),
    Column("shown", SmallInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    # Each once, for the index.
    Column("terms", ARRAY(Integer), nullable=False),
    Index("blocks_by_user", "user_id", "lot"),
    Index("blocks_by_term", "terms", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
)

# What is suggested while somebody types: words of a video as typed key by key, and their first letters.
words = Table(
    "words",
    metadata,
    Column("video_id", ForeignKey("videos.id", ondelete="CASCADE"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("word", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("said", Integer, nullable=False),
    Column("letters", Text(collation="C"), nullable=False),
    Column("initials", Text(collation="C"), nullable=False),
    Index("words_by_letters", "user_id", "letters"),
    Index("words_by_initials", "user_id", "initials"),
)

workers = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("queue", Text, nullable=False),
    _moment("seen_at", now=True),
)

deletions = Table(
    "deletions",
    metadata,
    Column("video_id", Uuid(as_uuid=False), primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("receipt", JSONB, nullable=False),
    _moment("deleted_at", now=True),
)
