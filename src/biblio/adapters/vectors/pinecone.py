"""Vectors in Pinecone's serverless indexes: an index for every space, in it a namespace for every user.

A vector's id is `video#generation#id`, so that a video's are listed and deleted by their prefix. What was written shows
after some seconds. Sources: https://docs.pinecone.io/reference/api/database-limits,
https://docs.pinecone.io/guides/index-data/data-modeling
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import batched
from typing import Any
from urllib.parse import quote, unquote

from pinecone import Index, NotFoundError

from biblio.adapters.vectors.dimension import checked
from biblio.adapters.vectors.pinecone_errors import translated
from biblio.adapters.vectors.pinecone_index import Indexes, PineconeOptions
from biblio.domain.search import EVERYWHERE, Scope
from biblio.dsn import Dsn
from biblio.errors import Misconfigured, Unavailable
from biblio.ports.embedder import Vector
from biblio.ports.vectors import Near, Owner, VectorRecord
