#!lua flags=allow-oom
-- Notes what the platform says of a message that it has sent for us. What is not known
-- of it, or not any more, is passed over, and so is what was known better before.
-- KEYS receipt   ARGV result (delivered or failed), detail
-- Answers 1 if something is new, else 0.
local receipt, result = KEYS[1], ARGV[1]
local bad = mistyped('string', receipt)
if bad then return redis.error_reply(bad) end

local conversation_id, key = string.match(redis.call('GET', receipt) or '', '^(%x+) (%x+)$')
if not key then return 0 end
local c = conversation(string.match(receipt, '^(.*}:)sent:') .. 'chat:' .. conversation_id)
bad = read_head(c, '')
if bad then return redis.error_reply(bad) end

local id, part = delivery_of(c, key)
if not id then return 0 end
local known = string.match(redis.call('HGET', c.items, id .. part) or '', '^%a+')
if not (known == 'sent' or known == 'unknown' or known == 'delivered' and result == 'failed') then return 0 end
deliver(c, key, result, ARGV[2])
return 1
