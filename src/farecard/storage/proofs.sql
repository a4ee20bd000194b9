-- What PostgreSQL runs when a batch is kept, beside plain inserts. Each statement reaches as many rows as
-- it was given when what the batch read still holds, and fewer when it does not; then the driver's
-- PROOF around it fails. Lists are columns.

-- name: everyday
UPDATE account SET balance = u.balance, last_at = u.last_at, last_seq = u.last_seq,
    ride_station = u.ride_station, ride_at = u.ride_at
FROM unnest(:was::int8[], :account::int8[], :balance::int8[], :last_at::int8[], :last_seq::int8[],
    :ride_station::text[], :ride_at::int8[])
    AS u (was, account, balance, last_at, last_seq, ride_station, ride_at)
WHERE account.account = u.account AND account.last_seq = u.was

-- name: changed
UPDATE account SET number = u.number, kind = u.kind, state = u.state, balance = u.balance,
    deposit = u.deposit, points = u.points, expires = u.expires, last_at = u.last_at,
    last_seq = u.last_seq, ride_station = u.ride_station, ride_at = u.ride_at, details = u.details
FROM unnest(:was::int8[], :account::int8[], :number::int8[], :kind::text[], :state::text[],
    :balance::int8[], :deposit::int8[], :points::int8[], :expires::int8[], :last_at::int8[],
    :last_seq::int8[], :ride_station::text[], :ride_at::int8[], :details::text[])
    AS u (was, account, number, kind, state, balance, deposit, points, expires, last_at, last_seq,
    ride_station, ride_at, details)
WHERE account.account = u.account AND account.last_seq = u.was

-- name: ended_numbers
UPDATE number SET ended = u.ended, ended_at = u.ended_at, head = u.head, successor = u.successor
FROM unnest(:ended::text[], :ended_at::int8[], :head::int8[], :successor::int8[], :number::int8[])
    AS u (ended, ended_at, head, successor, number)
WHERE number.number = u.number

-- A number or id that was looked for and not found is put in and taken out again: whoever is putting
-- it in for good is waited for, and then there is a collision or there is none.

-- name: claim_numbers
INSERT INTO number (number, account, since_seq, since_at)
SELECT u.number, 0, 0, 0 FROM unnest(:number::int8[]) AS u (number)

-- name: unclaim_numbers
DELETE FROM number WHERE number = ANY(:number)

-- name: claim_ids
INSERT INTO command (sender, id, account, seq)
SELECT u.sender, u.id, 0, 0 FROM unnest(:sender::text[], :id::text[]) AS u (sender, id)

-- name: unclaim_ids
DELETE FROM command USING unnest(:sender::text[], :id::text[]) AS u (sender, id)
WHERE command.sender = u.sender AND command.id = u.id

-- name: persons
UPDATE person SET account = u.account, measures = u.measures, last_seq = u.last_seq
FROM unnest(:was::int8[], :person::text[], :account::int8[], :measures::int8[], :last_seq::int8[])
    AS u (was, person, account, measures, last_seq)
WHERE person.person = u.person AND person.last_seq = u.was

-- name: claim_persons
INSERT INTO person (person, account, measures, last_seq)
SELECT u.person, 0, 0, 0 FROM unnest(:person::text[]) AS u (person)

-- name: unclaim_persons
DELETE FROM person WHERE person = ANY(:person)

-- name: new_namesakes
INSERT INTO namesake (name_key, cards)
SELECT u.name_key, u.cards FROM unnest(:name_key::bytea[], :cards::int8[]) AS u (name_key, cards)

-- name: unclaim_namesakes
DELETE FROM namesake WHERE name_key = ANY(:name_key)

-- name: more_namesakes
UPDATE namesake SET cards = u.cards
FROM unnest(:name_key::bytea[], :was::int8[], :cards::int8[]) AS u (name_key, was, cards)
WHERE namesake.name_key = u.name_key AND namesake.cards = u.was
