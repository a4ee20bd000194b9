"""What people ask for, those who work here and members, as paths of an OpenAPI document."""

from farecard.access import owning
from farecard.access.members import LONGEST_LOGIN, SHORTEST_LOGIN
from farecard.access.passwords import LONGEST, SHORTEST
from farecard.access.proposals import STATES
from farecard.api.path_parts import (
    NUMBER,
    WITH_BODY,
    WITH_KEY,
    a_body,
    a_json,
    a_limit,
    answers,
)
from farecard.api.schemas import CARD, DAY, RECOVERY_CODES, TEXT, Schema, an_object, or_null, ref

_MORE: Schema = {"additionalProperties": False}
_PASSWORD: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST}
_NEW_PASSWORD: Schema = {
    "type": "string", "minLength": SHORTEST, "maxLength": LONGEST,
    "description": "not the name, not digits alone, and more than a few letters again and again",
}  # fmt: skip
_A_WHY: Schema = or_null({"type": "string", "minLength": 1, "maxLength": 500})


def of_staff() -> Schema:
    """What people who work here ask for; signing out, and another password, are for members, too."""
    sign_in = (
        an_object(
            {"name": {"type": "string", "minLength": 1, "maxLength": 64}, "password": _PASSWORD}
        )
        | _MORE
    )
    new_password = an_object({"old": _PASSWORD, "new": _NEW_PASSWORD}) | _MORE
    kinds: Schema = {
        "command": or_null({"type": "object"}),
        "campaign": or_null(TEXT),
        "tariff": or_null(TEXT),
    }
    proposed = an_object({}, kinds | {"why": _A_WHY}) | _MORE
    judged = (
        an_object({"decision": {"enum": ["approve", "decline", "withdraw"]}}, {"why": _A_WHY})
        | _MORE
    )
    number = {
        "name": "proposal",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^P-[0-9A-Z]{10}$"},
    }
    return {
        "/v1/sign-in": {"post": {
            "operationId": "signIn", "summary": "a name and a password for a token", "security": [],
            "requestBody": a_body(sign_in),
            "responses": answers(WITH_BODY, s200=a_json(ref("Session"), "the token, and what may be done with it")),
        }},
        "/v1/sign-out": {"post": {
            "operationId": "signOut", "summary": "end this session", "requestBody": a_body({"type": "object"}),
            "responses": answers(WITH_BODY, s200=a_json(an_object({"signed_out": {"const": True}}), "it has ended")),
        }},
        "/v1/me": {"get": {
            "operationId": "me", "summary": "who has signed in, and what may be done",
            "responses": answers((*WITH_KEY, 403), s200=a_json(ref("Session"), "the session")),
        }},
        "/v1/password": {"post": {
            "operationId": "password", "summary": "another password; all sessions end", "requestBody": a_body(new_password),
            "responses": answers(WITH_BODY, s200=a_json(an_object({"changed": {"const": True}}, {"recovery_codes": RECOVERY_CODES}), "it is changed")),
        }},
        "/v1/proposals": {
            "get": {
                "operationId": "proposals", "summary": "what takes two people, newest first",
                "parameters": [{"name": "state", "in": "query", "required": False, "schema": {"enum": list(STATES)}}, a_limit(100)],
                "responses": answers((*WITH_KEY, 403), s200=a_json(ref("Proposals"), "the proposals")),
            },
            "post": {
                "operationId": "propose", "summary": "propose a command of operations, a campaign or a tariff, with its preview",
                "requestBody": a_body(proposed),
                "responses": answers(
                    WITH_BODY, s200=a_json(ref("Proposal"), "it waits for another to approve it"),
                    s422=a_json(ref("Decision"), "it would not be accepted; nothing was kept"),
                ),
            },
        },
        "/v1/proposals/{proposal}": {
            "get": {
                "operationId": "proposal", "summary": "one proposal", "parameters": [number],
                "responses": answers((*WITH_KEY, 403, 404), s200=a_json(ref("Proposal"), "the proposal")),
            },
            "post": {
                "operationId": "judge", "summary": "approve and do it, decline it, or withdraw one's own", "parameters": [number],
                "requestBody": a_body(judged),
                "responses": answers((*WITH_BODY, 404, 409), s200=a_json(ref("Proposal"), "what became of it")),
            },
        },
        "/v1/trail": {"get": {
            "operationId": "trail", "summary": "who did what to keys, people and proposals, newest first",
            "parameters": [a_limit(10**9 - 1, 10**9 - 1, "before"), a_limit(100)],
            "responses": answers((*WITH_KEY, 403), s200=a_json(ref("Trail"), "the lines")),
        }},
    }  # fmt: skip


_LOGIN: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_LOGIN}
_NEW_LOGIN: Schema = {
    "type": "string", "minLength": SHORTEST_LOGIN, "maxLength": LONGEST_LOGIN, "pattern": r"^\S+$",
    "description": "a mail address does well; the same in capitals",
}  # fmt: skip
_A_CODE: Schema = {"type": "string", "minLength": 1, "maxLength": 64}
_SAID: Schema = {"type": "string", "minLength": 1, "maxLength": 256}


def _post(
    id: str, summary: str, body: Schema, answer: Schema, *more: int, open: bool = False
) -> Schema:
    return {
        "operationId": id,
        "summary": summary,
        "requestBody": a_body(body if "oneOf" in body else body | _MORE),
        "responses": answers((*WITH_BODY, *more), s200=a_json(answer, summary)),
        **({"security": []} if open else {}),
    }


def of_members() -> Schema:
    """What members ask for, and the places that hand them codes."""
    sign_in = an_object({"login": _LOGIN, "password": _PASSWORD})
    enrol = an_object({"login": _NEW_LOGIN, "password": _NEW_PASSWORD})
    confirm = an_object({"password": _PASSWORD})
    with_login = an_object({"login": _LOGIN, "code": _A_CODE, "password": _NEW_PASSWORD}) | _MORE
    with_card = an_object({"card": CARD, "code": _A_CODE, "password": _NEW_PASSWORD}) | _MORE
    by_code = an_object({"card": CARD, "code": _A_CODE}) | _MORE
    by_holder = an_object({"card": CARD, "kana": _SAID, "born": DAY, "phone": _SAID}) | _MORE
    channel = {"channel": {"enum": list(owning.IN_HAND)}}
    papers = {"kana": or_null(_SAID), "born": or_null(DAY)}
    give = an_object({"for": {"enum": list(owning.PURPOSES)}} | channel, papers)
    recovered = an_object({"login": TEXT, "recovery_codes": RECOVERY_CODES})
    codes = ref("RecoveryCodes")
    return {
        "/v1/members": {
            "post": _post("enrol", "enrol as a member", enrol, ref("Enrolled"), 409, open=True)
        },
        "/v1/members/sign-in": {
            "post": _post(
                "signInMember", "a sign-in name and a password for a token", sign_in, ref("Session"), open=True,
            )
        },
        "/v1/members/recover": {
            "post": _post(
                "recover", "another password for a code", {"oneOf": [with_login, with_card]},
                recovered, open=True,
            )
        },
        "/v1/members/recovery-codes": {
            "post": _post("recoveryCodes", "other recovery codes in place of all there are", confirm, codes)
        },
        "/v1/members/end": {
            "post": _post(
                "endMembership", "leave: all that is held about the member is erased", confirm,
                an_object({"ended": {"const": True}}),
            )
        },
        "/v1/members/cards": {
            "get": {
                "operationId": "ownCards", "summary": "a member's cards",
                "responses": answers((*WITH_KEY, 403), s200=a_json(ref("OwnCards"), "the cards")),
            },
            "post": _post(
                "claim", "add a card, with proof that it is one's own", {"oneOf": [by_code, by_holder]}, ref("OwnCard"), 409,
            ),
        },
        "/v1/members/cards/{number}": {
            "delete": {
                "operationId": "giveUp", "summary": "a card is the member's no more", "parameters": [NUMBER],
                "responses": answers(
                    (*WITH_KEY, 403), s200=a_json(an_object({"given_up": CARD}), "it is not any more")
                ),
            }
        },
        "/v1/cards/{number}/code": {
            "post": {
                "parameters": [NUMBER],
                **_post(
                    "giveCode", "a code for whoever stands there with the card", give, ref("GivenCode"), 404,
                ),
            }
        },
        "/v1/cards/{number}/release": {
            "post": {
                "parameters": [NUMBER],
                **_post(
                    "release", "a card that somebody shows is no member's any more", an_object(channel, papers),
                    an_object({"released": {"type": "boolean", "description": "whether it was one's"}}), 404,
                ),
            }
        },
    }  # fmt: skip
