#!lua flags=allow-oom
-- Starts the lease of an entry anew. A bare XCLAIM would take the entry back
-- from a worker that has taken it over. An entry that waits in a worker's hands
-- and has not been begun is kept alive too.
-- KEYS an entry's   ARGV an entry's
-- Answers mine or other.
local e, bad = entry()
if bad then return redis.error_reply(bad) end

if owner(e.stream, e.id) ~= e.consumer then return 'other' end
if overtaken(e) then return 'other' end
local kept = redis.call('XCLAIM', e.stream, 'workers', e.consumer, 0, e.id, 'JUSTID')
return #kept == 1 and 'mine' or 'other'
