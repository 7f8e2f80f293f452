"""What biblio's collections in Weaviate look like."""

from weaviate import WeaviateClient
from weaviate.classes.config import Configure, DataType, Property, Tokenization, VectorDistances

VECTOR = "passage"
"""The name of an object's only vector."""


def add_collection(client: WeaviateClient, name: str, space: str, replicas: int) -> None:
    """The index keeps numbers as they are: a similarity is told, not only an order."""
    client.collections.create(
        name,
        description=f"biblio: vectors of {space}",
        multi_tenancy_config=Configure.multi_tenancy(auto_tenant_creation=True, auto_tenant_activation=True),
        replication_config=Configure.replication(factor=replicas),
        vector_config=Configure.Vectors.self_provided(
            name=VECTOR,
            quantizer=Configure.VectorIndex.Quantizer.none(),
            vector_index_config=Configure.VectorIndex.hnsw(distance_metric=VectorDistances.COSINE),
        ),
        properties=[
            _text("user_id"),
            _text("video_id", is_filtered=True),
            Property(name="generation", data_type=DataType.INT, index_filterable=True),
            Property(name="start", data_type=DataType.NUMBER, index_filterable=True),
            Property(name="end", data_type=DataType.NUMBER, index_filterable=False),
            _text("text"),
        ],
    )


def is_fit(client: WeaviateClient, name: str) -> bool:
    """Weaviate makes up a collection when objects of an unknown one come: without tenants."""
    tenants = client.collections.use(name).config.get().multi_tenancy_config
    return tenants.enabled and tenants.auto_tenant_creation


def _text(name: str, *, is_filtered: bool = False) -> Property:
    """Compared whole, and searched by PostgreSQL alone."""
    return Property(
        name=name,
        data_type=DataType.TEXT,
        tokenization=Tokenization.FIELD,
        index_filterable=is_filtered,
        index_searchable=False,
    )
