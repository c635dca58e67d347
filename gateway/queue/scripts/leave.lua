#!lua flags=allow-oom
-- Deletes a consumer in whose hands nothing is. Deleting one that has something
-- would drop it from the list of pending entries, and no take-over would find
-- it again.
-- KEYS inbox   ARGV consumer
-- Answers 1 if the consumer was deleted, else 0.
local inbox, consumer = KEYS[1], ARGV[1]

local bad = mistyped('stream', inbox)
if bad then return redis.error_reply(bad) end

for _, info in ipairs(consumers(inbox, 'workers')) do
  if info.name == consumer and tonumber(info.pending) == 0 then
    redis.call('XGROUP', 'DELCONSUMER', inbox, 'workers', consumer)
    return 1
  end
end
return 0
