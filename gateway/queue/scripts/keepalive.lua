#!lua flags=allow-oom
-- Starts the lease of an entry anew. A bare XCLAIM would take the entry back
-- from a worker that has taken it over. An entry that waits in a worker's hands
-- and has not been begun is kept alive too.
-- KEYS inbox, work   ARGV id, consumer, attempt
-- Answers mine or other.
local inbox, work = KEYS[1], KEYS[2]
local id, consumer, attempt = ARGV[1], ARGV[2], ARGV[3]

local bad = mistyped('stream', inbox) or mistyped('hash', work)
if bad then return redis.error_reply(bad) end

if owner(inbox, id) ~= consumer then return 'other' end
if overtaken(work, id, consumer, attempt) then return 'other' end
local kept = redis.call('XCLAIM', inbox, 'workers', consumer, 0, id, 'JUSTID')
return #kept == 1 and 'mine' or 'other'
