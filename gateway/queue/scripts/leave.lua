#!lua flags=allow-oom
-- Deletes a consumer in whose hands nothing is. Deleting one that has something
-- would drop it from the list of pending entries, and no take-over would find
-- it again.
-- KEYS inbox, photos   ARGV consumer
-- Answers the number of streams in which the consumer was deleted.
local consumer = ARGV[1]

local bad = mistyped('stream', KEYS[1], KEYS[2])
if bad then return redis.error_reply(bad) end

local deleted = 0
for _, stream in ipairs(KEYS) do
  for _, info in ipairs(consumers(stream, 'workers')) do
    if info.name == consumer and tonumber(info.pending) == 0 then
      redis.call('XGROUP', 'DELCONSUMER', stream, 'workers', consumer)
      deleted = deleted + 1
    end
  end
end
return deleted
