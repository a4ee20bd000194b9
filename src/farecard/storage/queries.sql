-- Every statement that reads, named. `= ANY(:list)` takes a list; SQLite reads it through json_each.
-- Sums are cast, since PostgreSQL sums whole numbers to a NUMERIC.

-- name: accounts
SELECT * FROM account WHERE account = ANY(:ids)

-- name: numbers
SELECT number, account, ended, successor FROM number WHERE number = ANY(:ids)

-- name: commands
SELECT id, account, seq FROM command WHERE sender = :sender AND id = ANY(:ids)

-- name: events
SELECT * FROM event WHERE seq = ANY(:seqs) AND account = ANY(:accounts)

-- name: reversed
SELECT "of" FROM reversal WHERE "of" = ANY(:ids) AND account = ANY(:accounts)

-- name: resolutions
SELECT "of", account, seq, at, decision FROM resolution WHERE "of" = ANY(:ids) AND account = ANY(:accounts)

-- name: referred_of_card
SELECT * FROM event WHERE outcome = 'referred' AND number = :number

-- name: referred
SELECT * FROM event
WHERE outcome = 'referred' AND number IS NOT NULL AND seq < :before AND at <= :until ORDER BY seq DESC LIMIT CAST(:most AS BIGINT)

-- name: holders
SELECT name_key, account, phone_key FROM holder WHERE name_key = :name_key

-- name: namesakes
SELECT name_key, cards FROM namesake WHERE name_key = :name_key

-- name: persons
SELECT person, account, measures, last_seq FROM person WHERE person = ANY(:people)

-- name: notices
SELECT person, what, at, seq FROM notice WHERE account = -1 AND person = ANY(:people)

-- name: notices_of
SELECT what, min(at) FROM notice WHERE account = :account AND person = :person AND at <= :at GROUP BY what

-- name: draws
SELECT what, seq, at, root, entrants, winners, said FROM draw WHERE draw = :draw

-- name: entrants_of
SELECT leaf, account, number FROM entrant WHERE draw = :draw ORDER BY place

-- name: entrant_of
SELECT number, place FROM entrant WHERE draw = :draw AND account = :account

-- name: granted_by
SELECT count(*), CAST(coalesce(sum(points), 0) AS BIGINT) FROM granted WHERE sender = :sender AND id = :id

-- name: last_batch
SELECT id, number, hash FROM batch WHERE writer = :writer ORDER BY number DESC LIMIT 1

-- name: batch_hash
SELECT hash FROM batch WHERE writer = :writer AND number = :number

-- name: versions
SELECT (SELECT max(version) FROM tariff), (SELECT max(version) FROM network),
    (SELECT max(id) FROM batch), (SELECT max(version) FROM campaign)

-- name: number_of
SELECT number, account, since_seq, since_at, ended, ended_at, head, successor
FROM number WHERE number = :number

-- name: chain
WITH RECURSIVE chain (seq, n) AS (
    SELECT CAST(:head AS BIGINT), 1
    UNION ALL
    SELECT e.prev, c.n + 1 FROM chain c JOIN event e ON e.seq = c.seq
    WHERE e.account = :account AND e.prev IS NOT NULL AND c.n < :most
)
SELECT e.* FROM chain c JOIN event e ON e.seq = c.seq WHERE e.account = :account ORDER BY e.seq

-- name: besides_use
SELECT seq, at, "do", channel, tender, amount, "of", sets, warnings FROM event
WHERE account = :account AND "do" NOT IN ('tap_in', 'tap_out', 'purchase') AND outcome = 'accepted' AND at <= :until
ORDER BY seq

-- name: first_batch_past
SELECT number FROM batch WHERE writer = :writer AND (last_at > :at OR recorded_at > :known) ORDER BY number LIMIT 1

-- name: batches_past
SELECT id, first_at, last_at FROM batch WHERE writer = :writer AND number > :number ORDER BY number

-- name: batches_numbered
SELECT id, number FROM batch WHERE writer = :writer AND number = ANY(:numbers)

-- name: spans_summed
SELECT batch, debit FROM subtotal WHERE batch = ANY(:batches) AND level = :level AND day = -1 AND account = ''

-- name: whole_batches_from
SELECT id FROM batch WHERE writer = :writer AND number >= :number AND last_at <= :at AND recorded_at <= :known

-- name: sums_of_batches
SELECT account, CAST(sum(debit) AS BIGINT), CAST(sum(credit) AS BIGINT) FROM total
WHERE batch = ANY(:batches) GROUP BY account

-- name: sums_of_subtotals
SELECT account, CAST(sum(debit) AS BIGINT), CAST(sum(credit) AS BIGINT) FROM subtotal
WHERE batch = ANY(:batches) AND level = :level AND account <> '' GROUP BY account

-- name: subtotal_of_batches
INSERT INTO subtotal
SELECT CAST(:batch AS BIGINT), 1, t.day, t.account, CAST(sum(t.debit) AS BIGINT), CAST(sum(t.credit) AS BIGINT)
FROM batch b JOIN total t ON t.batch = b.id
WHERE b.writer = :writer AND b.number = ANY(:numbers) GROUP BY t.day, t.account
UNION ALL
SELECT CAST(:batch AS BIGINT), 1, -1, '', 1, 0

-- name: subtotal_of_subtotals
INSERT INTO subtotal
SELECT CAST(:batch AS BIGINT), s.level + 1, CASE WHEN s.level >= 3 THEN -1 ELSE s.day END, s.account,
    CAST(sum(s.debit) AS BIGINT), CAST(sum(s.credit) AS BIGINT)
FROM batch b JOIN subtotal s ON s.batch = b.id
WHERE b.writer = :writer AND b.number = ANY(:numbers) AND s.level = CAST(:level AS BIGINT) - 1
GROUP BY s.level, CASE WHEN s.level >= 3 THEN -1 ELSE s.day END, s.account

-- name: split_batches
SELECT id FROM batch WHERE last_at > :at AND last_at <= :last_at AND first_at <= :at AND recorded_at <= :known

-- name: moved_by
SELECT e.debit, e.credit, CAST(sum(e.yen) AS BIGINT) FROM event e
WHERE e.seq >= :first AND e.seq < :past AND e.at <= :at AND e.yen > 0 GROUP BY e.debit, e.credit
UNION ALL
SELECT t.debit, t.credit, CAST(sum(t.yen) AS BIGINT) FROM transfer t
JOIN event e ON e.seq = t.seq AND e.account = t.account
WHERE t.seq >= :first AND t.seq < :past AND e.seq >= :first AND e.seq < :past AND e.at <= :at GROUP BY t.debit, t.credit

-- name: stored_fare
SELECT CAST(coalesce(sum(balance), 0) AS BIGINT), CAST(coalesce(sum(deposit), 0) AS BIGINT),
    CAST(coalesce(sum(points), 0) AS BIGINT)
FROM account

-- name: tariffs
SELECT version, since, text FROM tariff ORDER BY version

-- name: campaigns
SELECT version, name, text FROM campaign ORDER BY version

-- name: calendar
SELECT day FROM calendar

-- name: networks
SELECT version, since, name FROM network ORDER BY version

-- name: stations
SELECT line, place, station, company FROM station WHERE version = :version ORDER BY line, place

-- name: fares
SELECT one, other, adult, child FROM fare WHERE version = :version

-- name: about
SELECT name, value FROM about

-- name: batches
SELECT id, writer, number, recorded_at, first_at, last_at, events, tariff, network, campaign, code,
    prev, hash
FROM batch ORDER BY id

-- name: events_of_batch
SELECT * FROM event WHERE seq >= :first AND seq < :past ORDER BY seq

-- name: transfers_of_batch
SELECT seq, account, n, debit, credit, yen FROM transfer WHERE seq >= :first AND seq < :past ORDER BY seq, n

-- name: totals_of_batch
SELECT batch, day, account, debit, credit FROM total WHERE batch = :batch ORDER BY day, account

-- name: subtotals_of_batch
SELECT level, day, account, debit, credit FROM subtotal WHERE batch = :batch ORDER BY level, day, account

-- name: all_accounts
SELECT * FROM account ORDER BY account

-- name: event_count
SELECT CAST(coalesce(sum(events), 0) AS BIGINT) FROM batch

-- name: events_without_batch
SELECT e.seq FROM event e LEFT JOIN batch b ON b.id = e.seq / 65536 WHERE b.id IS NULL LIMIT 100

-- name: subtotals_without_batch
SELECT DISTINCT s.batch FROM subtotal s LEFT JOIN batch b ON b.id = s.batch WHERE b.id IS NULL ORDER BY s.batch LIMIT 100

-- name: command_count
SELECT count(*) FROM command

-- name: all_commands
SELECT sender, account, seq FROM command

-- name: accounts_without_holder
SELECT a.account FROM account a LEFT JOIN holder h ON h.account = a.account
WHERE a.kind IN ('named', 'commuter', 'child', 'smart') AND h.account IS NULL LIMIT 100

-- name: all_resolutions
SELECT "of", account, seq, at, decision FROM resolution ORDER BY "of"

-- name: all_reversals
SELECT "of", account, seq, at FROM reversal ORDER BY "of"

-- name: held_cards
SELECT name_key, count(*) FROM holder WHERE name_key IS NOT NULL GROUP BY name_key ORDER BY name_key

-- name: all_namesakes
SELECT name_key, cards FROM namesake WHERE cards > 0 ORDER BY name_key

-- name: applications_of
SELECT * FROM application WHERE account = ANY(:accounts) AND seq = ANY(:seqs) ORDER BY account, seq, measure

-- name: granted_of
SELECT * FROM granted WHERE account = ANY(:accounts) AND seq = ANY(:seqs)
ORDER BY account, campaign, measure, period

-- name: draws_of
SELECT * FROM draw WHERE seq = ANY(:seqs) ORDER BY draw, what

-- name: all_draws
SELECT draw, what, root, entrants FROM draw ORDER BY draw, what

-- name: all_applications
SELECT account, person, measure FROM application ORDER BY account, seq, measure

-- name: granted_count
SELECT count(*) FROM granted

-- name: all_notices
SELECT account, person, seq, what, at FROM notice ORDER BY account, person, seq

-- name: all_persons
SELECT person, account, measures FROM person ORDER BY person

-- name: exported_applications
SELECT account, seq, campaign, measure, at, counted_before, earns FROM application ORDER BY account, seq, measure

-- name: exported_reversals
SELECT "of", account, seq, at FROM reversal ORDER BY account, seq

-- name: exported_notices
SELECT account, seq, what, at FROM notice WHERE account <> -1 ORDER BY account, seq

-- name: exported_grants
SELECT account, campaign, measure, period, seq, points, at FROM granted ORDER BY account, seq

-- name: exported_measures
SELECT version, campaign, measure, first_at, past_at, target, reward, percent, cap, monthly, filed, filed_past, done,
    done_past, grant_day
FROM measure ORDER BY version, measure

-- name: exported_counted
SELECT version, measure, "do", channel, tender FROM counted ORDER BY version, measure, "do", channel, tender

-- name: exported_calendar
SELECT day, month, first_day FROM calendar ORDER BY day

-- name: all_numbers
SELECT number, account, since_seq, since_at, ended, ended_at, head, successor FROM number
ORDER BY number

-- name: holder_of
SELECT name_key, subject_key, sealed FROM holder WHERE account = :account

-- name: payees_of
SELECT e.at, p.sealed FROM payee p JOIN event e ON e.seq = p.seq AND e.account = p.account
WHERE p.account = :account ORDER BY p.seq

-- name: member_of
SELECT subject_key, sealed FROM member WHERE account = :account

-- name: members_by
SELECT account FROM member WHERE member_key = :member_key ORDER BY account

-- name: people_of
SELECT person, account, subject_key, sealed FROM person WHERE account = :account ORDER BY person

-- name: person_of
SELECT person, account, subject_key, sealed FROM person WHERE person = :person

-- name: no_namesake
DELETE FROM namesake WHERE name_key = :name_key AND cards = 1

-- name: one_namesake_fewer
UPDATE namesake SET cards = cards - 1 WHERE name_key = :name_key AND cards > 1

-- name: erase_holder
UPDATE holder SET name_key = NULL, phone_key = NULL, subject_key = NULL, sealed = NULL WHERE account = :account

-- name: erase_payee
UPDATE payee SET sealed = NULL WHERE account = :account

-- name: erase_member
UPDATE member SET member_key = NULL, subject_key = NULL, sealed = NULL WHERE account = :account

-- name: erase_memberships
UPDATE member SET member_key = NULL, subject_key = NULL, sealed = NULL WHERE member_key = :member_key

-- name: erase_person
UPDATE person SET subject_key = NULL, sealed = NULL WHERE person = :person

-- name: api_keys
SELECT name, since, secret, bound, revoked FROM api_key ORDER BY since, name

-- name: revoke_key
UPDATE api_key SET revoked = :revoked WHERE name = :name AND revoked IS NULL

-- name: staff
SELECT name, role, password, since, failures, locked_until, ended FROM staff ORDER BY since, name

-- name: staff_named
SELECT name, role, password, since, failures, locked_until, ended FROM staff WHERE name = :who

-- name: staff_role
UPDATE staff SET role = :role WHERE name = :name

-- name: staff_password
UPDATE staff SET password = :password, failures = 0, locked_until = 0 WHERE name = :name

-- name: staff_failures
UPDATE staff SET failures = :failures, locked_until = :locked_until WHERE name = :name

-- name: staff_end
UPDATE staff SET ended = :ended WHERE name = :name

-- name: staff_login
SELECT l.who, s.role, l.since, l.seen, l.until FROM login l JOIN staff s ON s.name = l.who
WHERE l.token = :token AND l.realm = 'staff' AND s.ended IS NULL

-- name: member_login
SELECT l.who, 'member', l.since, l.seen, l.until FROM login l JOIN enrolled m ON m.member = l.who
WHERE l.token = :token AND l.realm = 'member' AND m.ended IS NULL

-- name: login_seen
UPDATE login SET seen = :seen WHERE token = :token AND seen < :seen

-- name: end_login
DELETE FROM login WHERE token = :token

-- name: end_logins
DELETE FROM login WHERE realm = :realm AND who = :who

-- name: drop_old_logins
DELETE FROM login WHERE until < :now

-- name: enrolled
SELECT member, password, since, failures, locked_until, ended FROM enrolled WHERE member = :member

-- name: enrolled_as
SELECT member, password, since, failures, locked_until, ended FROM enrolled WHERE login_key = :login_key

-- name: enrolled_sealed
SELECT subject_key, sealed FROM enrolled WHERE member = :member

-- name: member_failures
UPDATE enrolled SET failures = :failures, locked_until = :locked_until WHERE member = :name

-- name: member_password
UPDATE enrolled SET password = :password, failures = 0, locked_until = 0 WHERE member = :name

-- name: erase_enrolled
UPDATE enrolled SET login_key = NULL, password = NULL, subject_key = NULL, sealed = NULL, ended = :ended
WHERE member = :name

-- name: recovery_left
SELECT count(*) FROM recovery WHERE member = :member AND used IS NULL

-- name: use_recovery
UPDATE recovery SET used = :used WHERE member = :name AND code = :code AND used IS NULL

-- name: end_recovery
DELETE FROM recovery WHERE member = :name

-- name: owner_of
SELECT member, since, how, kind FROM owned WHERE account = :account

-- name: owned_by
SELECT account, since, how, kind FROM owned WHERE member = :member ORDER BY since, account

-- name: own
UPDATE owned SET member = :name, since = :since, how = :how, kind = :kind WHERE account = :account

-- name: disown
DELETE FROM owned WHERE account = :account

-- name: disown_all
DELETE FROM owned WHERE member = :name

-- name: holder_keys
SELECT name_key, phone_key FROM holder WHERE account = :account

-- name: desk_code
SELECT code, channel, until, member FROM desk_code WHERE account = :account AND purpose = :purpose

-- name: end_desk_code
DELETE FROM desk_code WHERE account = :account AND purpose = :purpose

-- name: drop_old_desk_codes
DELETE FROM desk_code WHERE until < :now

-- name: guesses
SELECT failures, since FROM guess WHERE about = :about

-- name: guess_again
UPDATE guess SET failures = failures + 1, since = :now WHERE about = :about

-- name: forget_guesses
DELETE FROM guess WHERE about = :about

-- name: drop_old_guesses
DELETE FROM guess WHERE since < :since

-- name: proposal
SELECT * FROM proposal WHERE proposal = :proposal

-- name: proposals
SELECT * FROM proposal WHERE state = ANY(:states) ORDER BY proposed_at DESC, proposal LIMIT CAST(:most AS BIGINT)

-- name: proposals_about
SELECT proposal, proposed_by, proposed_at FROM proposal WHERE about = :about AND state = 'pending' ORDER BY proposed_at

-- name: proposals_unfinished
SELECT * FROM proposal WHERE state = 'approved' AND answer IS NULL ORDER BY decided_at

-- name: decide_proposal
UPDATE proposal SET state = :state, decided_by = :decided_by, decided_at = :decided_at, why = :why
WHERE proposal = :proposal AND state = 'pending'

-- name: answer_proposal
UPDATE proposal SET answer = :answer WHERE proposal = :proposal AND answer IS NULL

-- name: trail
SELECT n, at, who, did, about, said FROM trail WHERE n < :before ORDER BY n DESC LIMIT CAST(:most AS BIGINT)

-- name: trail_end
SELECT coalesce(max(n), 0) FROM trail

-- name: writers
WITH RECURSIVE found (writer) AS (
    SELECT min(writer) FROM batch
    UNION ALL
    SELECT (SELECT min(b.writer) FROM batch b WHERE b.writer > f.writer) FROM found f WHERE f.writer IS NOT NULL
)
SELECT writer FROM found WHERE writer IS NOT NULL

-- name: batches_of
SELECT id, recorded_at, number FROM batch WHERE writer = :writer AND number >= :number ORDER BY number LIMIT :most

-- name: booked_in_till
SELECT CAST(coalesce(sum(debit - credit), 0) AS BIGINT) FROM total
WHERE account = :account AND account >= 'cash:counter:' AND account < 'cash:counter;'

-- name: shift
SELECT * FROM shift WHERE shift = :shift

-- name: shift_at_till
SELECT * FROM shift WHERE till = :till ORDER BY opened_at DESC, shift LIMIT 1

-- name: shifts_of
SELECT * FROM shift WHERE clerk = :clerk ORDER BY opened_at DESC, shift LIMIT CAST(:most AS BIGINT)

-- name: shifts
SELECT * FROM shift ORDER BY opened_at DESC, shift LIMIT CAST(:most AS BIGINT)

-- name: close_shift
UPDATE shift SET closed_at = :closed_at, expected = :expected, counted = :counted, pieces = :pieces, why = :why
WHERE shift = :shift AND closed_at IS NULL

-- name: cash_moved
SELECT * FROM cash_moved WHERE shift = ANY(:shifts) ORDER BY at, id

-- name: first_recorded
SELECT min(recorded_at) FROM batch

-- name: longest_batch
SELECT last_at - first_at FROM batch ORDER BY last_at - first_at DESC LIMIT 1

-- name: batches_of_days
SELECT id FROM batch WHERE last_at >= :first_at AND last_at <= :last_at AND first_at < :past_at

-- name: days_of_batches
SELECT account, day, CAST(sum(debit) AS BIGINT), CAST(sum(credit) AS BIGINT) FROM total
WHERE batch = ANY(:batches) AND day >= :first AND day < :past GROUP BY account, day

-- name: days_of_subtotals
SELECT account, day, CAST(sum(debit) AS BIGINT), CAST(sum(credit) AS BIGINT) FROM subtotal
WHERE batch = ANY(:batches) AND level = :level AND day >= :first AND day < :past GROUP BY account, day

-- name: decided_between
SELECT "do", outcome, channel, coalesce(company, place), (at + 32400000000) % 86400000000 / 3600000000, count(*),
    CAST(sum(amount) AS BIGINT)
FROM event
WHERE seq >= :first AND seq < :past AND at >= :first_at AND at < :past_at
GROUP BY "do", outcome, channel, coalesce(company, place), (at + 32400000000) % 86400000000 / 3600000000

-- name: refused_between
SELECT "do", reasons FROM event
WHERE seq >= :first AND seq < :past AND at >= :first_at AND at < :past_at AND outcome = 'refused'

-- name: open_cases
SELECT e.reasons FROM event e LEFT JOIN resolution r ON r."of" = e.seq AND r.account = e.account
WHERE e.outcome = 'referred' AND e.number IS NOT NULL AND r."of" IS NULL

-- name: proposal_counts
SELECT state, count(*) FROM proposal GROUP BY state ORDER BY state

-- name: proposals_of
SELECT * FROM proposal WHERE about = :about ORDER BY proposed_at DESC, proposal

-- name: batches_before
SELECT id, number, recorded_at, events FROM batch WHERE writer = :writer AND number < :number
ORDER BY number DESC LIMIT CAST(:most AS BIGINT)

-- name: grants_at
SELECT seq FROM event WHERE seq = ANY(:seqs) AND "do" = 'run_grants' AND account >= 0 AND sender = :sender AND id = :id

-- name: owed_for_grants
SELECT CAST(coalesce(sum(debit), 0) AS BIGINT) FROM total
WHERE batch = ANY(:batches) AND account >= 'programme-receivable:' AND account < 'programme-receivable;'

-- name: granted_days
SELECT day, CAST(sum(debit) AS BIGINT) AS points FROM total
WHERE account >= 'programme-receivable:' AND account < 'programme-receivable;' GROUP BY day ORDER BY day

-- name: granted_of_run
SELECT e.number, g.campaign, g.measure, g.period, g.points, g.at
FROM granted g JOIN event e ON e.seq = g.seq AND e.account = g.account
WHERE g.sender = :sender AND g.id = :id ORDER BY g.account, g.campaign, g.measure, g.period

-- name: task
SELECT * FROM task WHERE task = :task

-- name: newest_task
SELECT * FROM task WHERE kind = :kind AND about = :about ORDER BY begun_at DESC, task LIMIT 1

-- name: newest_result
SELECT * FROM task WHERE kind = :kind AND about = :about AND result IS NOT NULL ORDER BY begun_at DESC, task LIMIT 1

-- name: tasks
SELECT * FROM task WHERE kind = :kind AND about = :about ORDER BY begun_at DESC, task LIMIT CAST(:most AS BIGINT)

-- name: task_seen
UPDATE task SET seen_at = :seen_at, done = :done, total = :total WHERE task = :task AND ended_at IS NULL

-- name: end_task
UPDATE task SET seen_at = :ended_at, ended_at = :ended_at, result = :result WHERE task = :task AND ended_at IS NULL
