"""The Python client of biblio's HTTP API.

from biblio.client import Client

with Client("http://127.0.0.1:8000", api_key) as client:
    video = client.upload(Path("lecture.mp4"))
    client.wait(video["video_id"])
    print(client.search("트랜잭션이 뭐야?")["results"])
"""

from biblio.client.client import Client

__all__ = ["Client"]
