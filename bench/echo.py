"""The yardstick of single commands: FastAPI answers with what it was sent, and does nothing else."""

import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Command(BaseModel):
    """What every command of the benchmark has; the rest depends on what it does."""

    id: str
    at: str
    channel: str
    do: str
    card: str
    place: str | None = None
    station: str | None = None
    amount: int | None = None
    tender: str | None = None
    merchant: str | None = None


@app.post("/v1/commands")
async def echo(command: Command) -> Command:
    """The same again."""
    return command


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", log_level="error", access_log=False)
