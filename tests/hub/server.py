"""A loopback server that speaks the Hub's protocol, for the real `huggingface_hub` and `datasets` clients.

Knows the requests that publishing and loading a dataset take, each over the state in memory; it runs in a thread.
"""

import asyncio
import base64
import json
import threading
from typing import Any

from aiohttp import web

from tests.hub.faults import Fault
from tests.hub.state import LARGE, Blob, HubState, Refused, Repository

WRITER = "hf_a-token-that-may-write"
READER = "hf_a-token-that-may-read"
_REPOSITORY = "/api/datasets/{namespace}/{name}"
_NEW = "/api/repos/create"


class HubServer:
    """The server, from `with` to its end; `state` is what it holds, `requests` what it was asked."""

    def __init__(self) -> None:
        self.state = HubState()
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "HubServer":
        self._thread.start()
        self._call(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self) -> None:
        app = web.Application(middlewares=[self._serve], client_max_size=2**30)
        app.add_routes(
            [
                web.get("/api/whoami-v2", self.whoami),
                web.post(_NEW, self.create),
                web.post("/api/validate-yaml", self.validate),
                web.get("/api/datasets", self.datasets),
                web.get(_REPOSITORY, self.info),
                web.get(_REPOSITORY + "/revision/{revision}", self.info),
                web.get(_REPOSITORY + "/refs", self.refs),
                web.get(_REPOSITORY + "/commits/{revision}", self.commits),
                web.get(_REPOSITORY + "/tree/{revision}", self.tree),
                web.get(_REPOSITORY + "/tree/{revision}/{path:.+}", self.tree),
                web.post(_REPOSITORY + "/paths-info/{revision}", self.paths),
                web.post(_REPOSITORY + "/preupload/{revision}", self.preupload),
                web.post(_REPOSITORY + "/commit/{revision}", self.commit),
                web.post(_REPOSITORY + "/tag/{revision}", self.tag),
                web.post("/datasets/{namespace}/{name}.git/info/lfs/objects/batch", self.batch),
                web.put("/large/{oid}", self.upload),
                web.get("/datasets/{namespace}/{name}/resolve/{revision}/{path:.+}", self.resolve),
                web.post("/api/collections", self.create_collection),
                web.get("/api/collections/{slug:.+}", self.collection),
                web.post("/api/collections/{slug:.+}/items", self.collect),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    @web.middleware
    async def _serve(self, request: web.Request, handler: Any) -> web.StreamResponse:
        line = f"{request.method} {request.path}"
        self.requests.append(line)
        fault = next((fault for fault in self.faults if fault.strikes(line)), None)
        if fault and fault.status:
            fault.then()
            return web.Response(status=fault.status, headers=fault.headers, text=fault.body)
        if fault and fault.moment == "before":
            return _cut(request, fault)
        try:
            self._admit(request)
            answer = await handler(request)
        except Refused as no:
            headers = {"X-Error-Message": str(no), **({"X-Error-Code": no.code} if no.code else {})}
            answer = web.json_response({"error": str(no)}, status=no.status, headers=headers)
        return _cut(request, fault) if fault else answer

    def _admit(self, request: web.Request) -> None:
        """Reading what is public is free; what is private wants a token; writing wants one that may."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        reads = request.method in ("GET", "HEAD") or "paths-info" in request.path or request.path.startswith("/large")
        if token and token not in (READER, WRITER):
            raise Refused(401, "Invalid credentials in Authorization header")
        if not reads and token == READER:
            raise Refused(403, "this token may only read")
        private = self._is_private(request)
        if not token and (private or not reads):
            raise Refused(404 if private else 401, "who are you?", "RepoNotFound" if private else None)

    def _is_private(self, request: web.Request) -> bool:
        id = "/".join(request.match_info.get(part, "") for part in ("namespace", "name"))
        return id in self.state.repositories and self.state.repositories[id].private

    def _repository(self, request: web.Request) -> Repository:
        return self.state.repository(f"{request.match_info['namespace']}/{request.match_info['name']}")

    async def whoami(self, _: web.Request) -> web.Response:
        return web.json_response({"name": "tester", "type": "user", "orgs": []})

    async def create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        id = f"{asked['organization']}/{asked['name']}"
        url = f"{self.url}/datasets/{id}"
        if id in self.state.repositories:
            return web.json_response({"error": "it exists", "url": url}, status=409)
        self.state.repositories[id] = Repository(id, private=asked.get("visibility") == "private")
        return web.json_response({"url": url})

    async def validate(self, request: web.Request) -> web.Response:
        content = (await request.json())["content"]
        if not content.startswith("---\n"):
            return web.json_response({"errors": [{"message": "no metadata"}]}, status=400)
        return web.json_response({"warnings": [], "errors": []})

    async def datasets(self, request: web.Request) -> web.Response:
        visible = [
            repository
            for repository in self.state.repositories.values()
            if repository.id.startswith(f"{request.query['author']}/")
            and ("Authorization" in request.headers or not repository.private)
        ]
        return web.json_response([{"id": repository.id, "private": repository.private} for repository in visible])

    async def info(self, request: web.Request) -> web.Response:
        repository = self._repository(request)
        commit = repository.at(request.match_info.get("revision", "main"))
        siblings = [{"rfilename": path, **_sizes(blob)} for path, blob in commit.files.items()]
        return web.json_response(
            {"id": repository.id, "sha": commit.oid, "private": repository.private, "siblings": siblings, "tags": []}
        )

    async def refs(self, request: web.Request) -> web.Response:
        repository = self._repository(request)
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repository.head.oid}
        tags = [{"name": t, "ref": f"refs/tags/{t}", "targetCommit": oid} for t, oid in repository.tags.items()]
        return web.json_response({"branches": [main], "converts": [], "tags": tags})

    async def commits(self, request: web.Request) -> web.Response:
        date = {"authors": [], "date": "2026-01-01T00:00:00.000Z", "message": ""}
        commits = reversed(self._repository(request).commits)
        return web.json_response([{"id": commit.oid, "title": commit.title, **date} for commit in commits])

    async def tree(self, request: web.Request) -> web.Response:
        files = self._repository(request).at(request.match_info["revision"]).files
        folder = request.match_info.get("path", "")
        below = {path: blob for path, blob in files.items() if not folder or path.startswith(f"{folder}/")}
        if folder and not below:
            raise Refused(404, f"no folder {folder}", "EntryNotFound")
        deep = request.query.get("recursive", "").lower() in ("true", "1")
        entries: dict[str, dict] = {}
        for path, blob in below.items():
            parents = path.removeprefix(f"{folder}/" if folder else "").split("/")[:-1]
            for depth in range(1, len(parents) + 1):
                name = "/".join([*([folder] if folder else []), *parents[:depth]])
                entries[name] = {"type": "directory", "path": name, "oid": "0" * 40, "size": 0}
            entries[path] = {"type": "file", "path": path, "oid": blob.oid, **_sizes(blob)}
        direct = {p: e for p, e in entries.items() if deep or p.rpartition("/")[0] == folder}
        return web.json_response(list(direct.values()))

    async def paths(self, request: web.Request) -> web.Response:
        files = self._repository(request).at(request.match_info["revision"]).files
        asked = await request.json() if request.content_type == "application/json" else await request.post()
        names = asked["paths"] if request.content_type == "application/json" else asked.getall("paths")
        found: list[dict] = []
        for name in names:
            if name in files:
                found.append({"type": "file", "path": name, "oid": files[name].oid, **_sizes(files[name])})
            elif any(path.startswith(f"{name}/") for path in files):
                found.append({"type": "directory", "path": name, "oid": "0" * 40, "size": 0})
        return web.json_response(found)

    async def preupload(self, request: web.Request) -> web.Response:
        here = self._repository(request).at(request.match_info["revision"]).files
        answers = []
        for file in (await request.json())["files"]:
            path = file["path"]
            mode = "lfs" if path.endswith(LARGE) else "regular"
            oid = here[path].oid if path in here else None
            answers.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return web.json_response({"files": answers})

    async def batch(self, request: web.Request) -> web.Response:
        objects = []
        for wanted in (await request.json())["objects"]:
            upload = {"upload": {"href": f"{self.url}/large/{wanted['oid']}", "header": {}}}
            known = wanted["oid"] in self.state.large_files
            objects.append({**wanted, **({} if known else {"actions": upload})})
        return web.json_response({"transfer": "basic", "objects": objects})

    async def upload(self, request: web.Request) -> web.Response:
        blob = Blob(await request.read(), True)
        if blob.oid != request.match_info["oid"]:
            raise Refused(400, "the content is not what its id says")
        self.state.large_files[blob.oid] = blob.content
        return web.Response()

    async def commit(self, request: web.Request) -> web.Response:
        header: dict = {}
        added: dict[str, Blob] = {}
        deleted: list[str] = []
        for line in (await request.read()).splitlines():
            operation = json.loads(line)
            value = operation["value"]
            match operation["key"]:
                case "header":
                    header = value
                case "file":
                    added[value["path"]] = Blob(base64.b64decode(value["content"]), False)
                case "lfsFile":
                    if value["oid"] not in self.state.large_files:
                        raise Refused(400, f"{value['path']} was never uploaded")
                    added[value["path"]] = Blob(self.state.large_files[value["oid"]], True)
                case "deletedFile":
                    deleted.append(value["path"])
                case other:
                    raise Refused(400, f"unknown operation {other}")
        repository = self._repository(request)
        made = repository.commit(header["summary"], added, deleted, header.get("parentCommit"))
        url = f"{self.url}/datasets/{repository.id}/commit/{made.oid}"
        return web.json_response({"commitUrl": url, "commitOid": made.oid})

    async def tag(self, request: web.Request) -> web.Response:
        self._repository(request).tag((await request.json())["tag"], request.match_info["revision"])
        return web.Response()

    async def resolve(self, request: web.Request) -> web.StreamResponse:
        commit = self._repository(request).at(request.match_info["revision"])
        blob = commit.files.get(request.match_info["path"])
        if blob is None:
            raise Refused(404, f"no file {request.match_info['path']}", "EntryNotFound")
        headers = {"X-Repo-Commit": commit.oid, "ETag": f'"{blob.oid}"', "Accept-Ranges": "bytes"}
        if blob.large:
            headers |= {"X-Linked-Etag": f'"{blob.oid}"', "X-Linked-Size": str(len(blob.content))}
        asked = request.http_range
        part = blob.content[slice(asked.start, asked.stop)]
        if asked.start is None:
            return web.Response(body=part, headers=headers)
        total = len(blob.content)
        start = asked.start if asked.start >= 0 else total + asked.start
        headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{total}"
        return web.Response(status=206, body=part, headers=headers)

    async def create_collection(self, request: web.Request) -> web.Response:
        asked = await request.json()
        for slug, known in self.state.collections.items():
            if slug.startswith(f"{asked['namespace']}/") and known["title"] == asked["title"]:
                return web.json_response({"error": "it exists", "slug": slug}, status=409)
        slug = f"{asked['namespace']}/{asked['title'].lower().replace(' ', '-')}-{len(self.state.collections):024d}"
        self.state.collections[slug] = {
            "slug": slug,
            "title": asked["title"],
            "owner": {"name": asked["namespace"], "type": "org", "fullname": asked["namespace"], "avatarUrl": ""},
            "items": [],
            "lastUpdated": "2026-01-01T00:00:00.000Z",
            "position": 0,
            "private": asked["private"],
            "theme": "blue",
            "upvotes": 0,
        }
        return web.json_response(self.state.collections[slug])

    async def collection(self, request: web.Request) -> web.Response:
        return web.json_response(self.state.collection(request.match_info["slug"]))

    async def collect(self, request: web.Request) -> web.Response:
        collection = self.state.collection(request.match_info["slug"])
        item = (await request.json())["item"]
        self.state.repository(item["id"])
        if any(known["id"] == item["id"] for known in collection["items"]):
            raise Refused(409, "it is in the collection")
        number = len(collection["items"])
        collection["items"].append({**item, "_id": f"item-{number}", "position": number, "repoType": item["type"]})
        return web.json_response(collection)


def _cut(request: web.Request, fault: Fault) -> web.Response:
    fault.then()
    assert request.transport is not None
    request.transport.abort()
    return web.Response(status=500)


def _sizes(blob: Blob) -> dict[str, Any]:
    large = {"oid": blob.oid, "sha256": blob.oid, "size": len(blob.content), "pointerSize": 130}
    return {"size": len(blob.content), "blobId": blob.oid, **({"lfs": large} if blob.large else {})}
