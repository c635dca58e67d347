#!lua flags=allow-oom
-- Destroys a conversation of a party that was forgotten, and what is still to be said
-- in it. What becomes of its messages to the consumer is kept without a platform's
-- word. A repeat finds nothing any more.
-- KEYS head, say, outgoing, forgotten, destroyed
-- ARGV party, member, keep the mark for (ms), keep for (ms), then the keys of messages
--      to the consumer that have had their end
-- Answers nothing if it is another party's; or how many messages were in it, how many
-- had still to be said, and whether one of them is on its way (1 or 0).
local c, say, outgoing, forgotten, destroyed = conversation(KEYS[1]), KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local party, member, mark_for, keep_for = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local bad = read_head(c, party) or mistyped('list', say) or mistyped('zset', outgoing, forgotten) or mistyped('set', destroyed)
local records = bad and {} or redis.call('LRANGE', say, 0, -1)
local keys = {}
for i = 5, #ARGV do keys[#keys + 1] = ARGV[i] end
for _, record in ipairs(records) do keys[#keys + 1] = (unpacked(record) or {}).key end
for _, key in ipairs(keys) do bad = bad or mistyped('string', c.slot .. 'told:' .. key) end
if bad then return redis.error_reply(bad) end
if c.party ~= party then return {} end

-- tell writes down what became of a message to the consumer: a result that there is
-- stays, without the platform's words, and what waits has failed.
local function tell(key)
  local told = c.slot .. 'told:' .. key
  local result, attempt = string.match(redis.call('GET', told) or '', '^(%a+) ?(%S*)')
  if not result then return end
  if result == 'waiting' then result, attempt = 'failed', '-' end
  redis.call('SET', told, result .. ' ' .. attempt .. ' the consumer was forgotten', 'PX', keep_for)
end

local first = unpacked(records[1] or '')
local sending = first and first.state == 'sending'
for _, key in ipairs(keys) do tell(key) end
if sending then
  redis.call('SET', c.slot .. 'told:' .. first.key, 'unknown - the consumer was forgotten while it was sent', 'PX', keep_for)
end
local messages = redis.call('ZCARD', c.order)
redis.call('UNLINK', c.head, c.items, c.order, say)
redis.call('ZREM', outgoing, member)
local list = c.there and list_of(c, c.state, c.agent)
if list then redis.call('ZREM', list, c.id) end
redis.call('ZREM', c.line, c.id)
redis.call('ZREM', c.over, c.id)
redis.call('ZREM', c.idle, c.id)
redis.call('SREM', c.of, c.id)
redis.call('SADD', destroyed, c.id)
redis.call('PEXPIRE', destroyed, mark_for)
if c.there then changed(c, nil, 1) end
redis.call('ZADD', forgotten, 'NX', whole(now()), c.id)
redis.call('PEXPIRE', forgotten, mark_for)
return {messages, #records, sending and 1 or 0}
