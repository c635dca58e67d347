#!lua
-- Writes down what is said to a consumer, and puts it into the conversation, behind
-- all that has been accepted of it. Without allow-oom, because whoever asks can be
-- told that it was not taken.
-- KEYS outgoing, say, told, head
-- ARGV nonce, member, key, payload, keep for (ms), who must have the conversation (as
--      assign.lua has it), text of the item, its beginning, the kind of who says it,
--      when (ms), how long the party's conversation is found after that (ms)
-- Answers fresh, repeated, none, over, or theirs and who has it.
local outgoing, say, told, c = KEYS[1], KEYS[2], KEYS[3], conversation(KEYS[4])
local mine, key, keep_for = 'waiting ' .. ARGV[1], ARGV[3], ARGV[5]

local bad = mistyped('zset', outgoing) or mistyped('list', say) or mistyped('string', told) or read_head(c, '')
if bad then return redis.error_reply(bad) end

local mark = redis.call('GET', told)
if mark then return {mark == mine and 'fresh' or 'repeated'} end
if not c.there then return {'none'} end
if c.closed > 0 or not c.open then return {'over'} end
if not has(c, ARGV[6]) then return theirs(c) end

local newest = redis.call('ZREVRANGE', c.order, 0, 0, 'WITHSCORES')
local position = whole(math.max(tonumber(newest[2] or 0), c.seq * positions_per_seq) + 1)
keep_item(c, key, 'r', 0, position, ARGV[7])
say_last(c, {id = key, position = position, gist = ARGV[8], photos = 0}, ARGV[9])
c.new.reply, c.new.waiting = ARGV[10], 0
if c.state == 'waiting' then move(c, 'waiting', '', '', now()) end
redis.call('ZADD', c.idle, whole(now()), c.id)
redis.call('PEXPIRE', c.conv, ARGV[11])
save(c, key)
post(outgoing, say, told, ARGV[2], key, ARGV[4], keep_for)
redis.call('SET', told, mine, 'PX', keep_for)
return {'fresh'}
