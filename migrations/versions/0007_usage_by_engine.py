"""several engines may share one video: usage is kept for each of them"""

from alembic import op

revision = "0007"
down_revision = "0006"

# Before, one row had the whole amount and one engine's name.
JOIN = """
    WITH whole AS (
        SELECT video_id, generation, unit, sum(amount) AS amount,
               (array_agg(engine ORDER BY amount DESC, engine))[1] AS engine
        FROM usage GROUP BY video_id, generation, unit HAVING count(*) > 1
    ), kept AS (
        UPDATE usage SET amount = whole.amount FROM whole
        WHERE (usage.video_id, usage.generation, usage.unit, usage.engine)
            = (whole.video_id, whole.generation, whole.unit, whole.engine)
    )
    DELETE FROM usage USING whole
    WHERE (usage.video_id, usage.generation, usage.unit) = (whole.video_id, whole.generation, whole.unit)
      AND usage.engine <> whole.engine
"""


def upgrade() -> None:
    op.drop_constraint("usage_pkey", "usage")
    op.create_primary_key("usage_pkey", "usage", ["video_id", "generation", "unit", "engine"])


def downgrade() -> None:
    op.execute(JOIN)
    op.drop_constraint("usage_pkey", "usage")
    op.create_primary_key("usage_pkey", "usage", ["video_id", "generation", "unit"])
