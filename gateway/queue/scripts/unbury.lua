#!lua flags=allow-oom
-- Makes a dead letter's event, which never was in the journal, one that has not
-- been seen, so that it can be accepted. The letter stays until it has been.
-- KEYS letters, seen   ARGV key
-- Answers 1 if the letter is there, else 0.
local letters, seen, key = KEYS[1], KEYS[2], ARGV[1]

local bad = mistyped('hash', letters) or mistyped('string', seen)
if bad then return redis.error_reply(bad) end

if redis.call('HEXISTS', letters, key) == 0 then return 0 end
if buried(redis.call('GET', seen)) then redis.call('DEL', seen) end
return 1
