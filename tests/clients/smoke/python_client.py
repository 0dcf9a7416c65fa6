"""The way of a prediction through a client that openapi-python-client made, the package `sotto_client`.

SOTTO_URL, SOTTO_TOKEN, and SOTTO_FILES (a folder) say where.
"""

import io
import os
import pathlib

from sotto_client import AuthenticatedClient
from sotto_client.api.jobs import delete_job, fetch_job_answers, follow_job, show_job
from sotto_client.api.keys import delete_keys, register_keys
from sotto_client.api.models import delete_model, import_model
from sotto_client.api.predictions import predict
from sotto_client.models import ImportModelFormat, Problem
from sotto_client.types import File

FILES = pathlib.Path(os.environ["SOTTO_FILES"])
sotto = AuthenticatedClient(base_url=os.environ["SOTTO_URL"], token=os.environ["SOTTO_TOKEN"])


def file(name):
    return File(payload=io.BytesIO((FILES / name).read_bytes()))


def given(response, *statuses):
    """What a call gave; fails when it has another status."""
    assert response.status_code in statuses, response.content
    return response.parsed


keys = given(register_keys.sync_detailed(client=sotto, body=file("evaluation.key")), 200, 201)
assert keys.capability == "pack"
model = given(
    import_model.sync_detailed(
        client=sotto, body=file("model.json"), name="tumours", format_=ImportModelFormat.XGBOOST
    ),
    200,
    201,
)
assert model.description.mode == "leaves"

answers = given(predict.sync_detailed(model.id, client=sotto, body=file("rows.sotto"), key=keys.id), 200)
size = len(answers.payload.read())
assert size > 0

job = given(
    predict.sync_detailed(model.id, client=sotto, body=file("rows.sotto"), key=keys.id, prefer="respond-async"), 202
)
assert b"event: job" in follow_job.sync_detailed(job.id, client=sotto).content
job = given(show_job.sync_detailed(job.id, client=sotto), 200)
assert job.state == "succeeded", job
late = given(fetch_job_answers.sync_detailed(job.id, client=sotto), 200)
assert len(late.payload.read()) == size

given(delete_job.sync_detailed(job.id, client=sotto), 204)
problem = given(show_job.sync_detailed(job.id, client=sotto), 404)
assert isinstance(problem, Problem) and problem.code == "job_unknown", problem
given(delete_model.sync_detailed(model.id, client=sotto), 204)
given(delete_keys.sync_detailed(keys.id, client=sotto), 204)
print(f"answers: {size} bytes")
