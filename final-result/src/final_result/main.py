import logging
from datetime import datetime
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, StringConstraints

from final_result.database import Away, Pool

LAST = 2**63 - 1  # the largest id that PostgreSQL can give

logger = logging.getLogger(__name__)
app = FastAPI(title="Guest book")
pool = Pool()


def text(longest: int) -> StringConstraints:
    # PostgreSQL stores every character but NUL.
    return StringConstraints(
        strip_whitespace=True, min_length=1, max_length=longest, pattern=r"^[^\x00]*$"
    )


class NewMessage(BaseModel):
    author: Annotated[str, text(80)]
    text: Annotated[str, text(1000)]


class Message(NewMessage):
    id: int
    written_at: datetime


@app.get("/")
async def read_root() -> dict[str, str]:
    return {"variant": "final-result"}


# Without async, FastAPI runs these two in threads: psycopg2 waits for the database.
@app.post("/messages", status_code=201)
def write_message(message: NewMessage) -> Message:
    with pool.transaction() as cursor:
        cursor.execute(
            "INSERT INTO messages (author, text) VALUES (%(author)s, %(text)s) RETURNING *",
            message.model_dump(),
        )
        return Message(**cursor.fetchone())


@app.get("/messages")
def read_messages(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[int, Query(ge=1, le=LAST)] = LAST,
) -> list[Message]:
    """The newest messages first; `before` is the id of the last one already seen."""
    with pool.transaction() as cursor:
        cursor.execute(
            "SELECT * FROM messages WHERE id < %s ORDER BY id DESC LIMIT %s", (before, limit)
        )
        return [Message(**row) for row in cursor]


@app.exception_handler(Away)
async def database_is_away(request: Request, reason: Away) -> JSONResponse:
    logger.warning("The database does not answer: %s", reason)
    detail = "The database does not answer. Try again in a few seconds."
    return JSONResponse({"detail": detail}, 503, headers={"Retry-After": "5"})


@app.exception_handler(RequestValidationError)
async def input_is_wrong(request: Request, wrong: RequestValidationError) -> JSONResponse:
    # Without the input, which FastAPI would repeat: not all of it can be said in JSON (NaN).
    errors = [{key: error[key] for key in ("type", "loc", "msg")} for error in wrong.errors()]
    return JSONResponse({"detail": errors}, 422)
