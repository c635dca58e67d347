#!lua flags=allow-oom
-- Deletes consumers in whose hands nothing is: the named one, and those that
-- have been silent for long. Deleting one that has something would drop it
-- from the list of pending entries, and no take-over would find it again.
-- KEYS inbox   ARGV consumer or empty, silent for (ms)
-- Answers the number deleted.
local inbox, consumer, silent_for = KEYS[1], ARGV[1], tonumber(ARGV[2])

local bad = mistyped('stream', inbox)
if bad then return redis.error_reply(bad) end

if redis.call('EXISTS', inbox) == 0 then return 0 end
local deleted = 0
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', inbox, 'workers')) do
  local info = {}
  for i = 1, #flat, 2 do info[flat[i]] = flat[i + 1] end
  local gone = info.name == consumer or tonumber(info.idle) > silent_for
  if tonumber(info.pending) == 0 and gone then
    redis.call('XGROUP', 'DELCONSUMER', inbox, 'workers', info.name)
    deleted = deleted + 1
  end
end
return deleted
