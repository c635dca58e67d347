#!lua flags=allow-oom
-- Makes a queue's streams and groups where they are missing, and deletes workers'
-- consumers that have been silent for long and have nothing in hand; one that
-- was only stopped is made anew when it reads again. With allow-oom, because a
-- full Redis is emptied by the very gateways that start on it.
-- KEYS inbox, out   ARGV silent for (ms)
-- Answers the number of groups made and of consumers deleted.
local inbox, out, silent_for = KEYS[1], KEYS[2], tonumber(ARGV[1])

local bad = mistyped('stream', inbox, out)
if bad then return redis.error_reply(bad) end

local made, deleted = 0, 0
local function ensure(stream, name)
  if group(stream, name) then return end
  redis.call('XGROUP', 'CREATE', stream, name, '0', 'MKSTREAM')
  made = made + 1
end
ensure(inbox, 'workers')
ensure(out, 'agents')
for _, info in ipairs(consumers(inbox, 'workers')) do
  if tonumber(info.pending) == 0 and tonumber(info.idle) > silent_for then
    redis.call('XGROUP', 'DELCONSUMER', inbox, 'workers', info.name)
    deleted = deleted + 1
  end
end
return {made, deleted}
