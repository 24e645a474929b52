"""What the bot says on Telegram besides its answers."""

from __future__ import annotations

WORDLESS = "我只看得懂文字，图片、语音、表情和位置都看不懂。请把想问的打成一句话发给我。"
ASK_WHAT = "请在 /ask 后面写上问题，比如：/ask 老小区怎么装电梯"
UNKNOWN_COMMAND = "没有这个命令。直接打字问我就行；能用的命令见 /help。"
GONE = "这一条已经改过或撤下了，请把想问的再打一遍。"
STALE = "这个按钮太旧了，不能用了。请把想问的再打一遍。"
ASK_IN_PRIVATE = "没有找到，到私聊里问我"
TOO_OLD = "这条回答太旧了，评价没有记上。"
BUSY = "我这里出了点毛病，没有记下来，请稍后再试。"
THANKS = "谢谢，记下了！"
SORRY = "谢谢告诉我。是哪里不好？"
WITHDRAWN = "评价撤回了。"
REASONS = ("答错了", "没答到", "过时了")
FEEDBACK_HOW = "点回答下面的 👍 或 👎 就行；想多说几句，写在 /feedback 后面，比如：/feedback 电话打不通"
FEEDBACK_NONE = "最近没有可以评价的回答。先问我一件事吧。"
FEEDBACK_DONE = "谢谢，您的话记下了，会有人看。"

TOPICS = "想看哪一类？"
BY_THEME, BY_REGION, BACK = "按主题看", "按地区看", "« 返回"
THEMES, REGIONS = "有这些主题：", "有这些地区："

HOME_ASK = "您平时在哪里？选了以后，分不出高下时，先说您那里的。"
HOME_SET = "记下了，以后先看{region}的。"
HOME_NONE = "不设"
HOME_CLEARED = "好的，不分地区。"
HOME_UNKNOWN = "我不认识“{region}”，请从下面选："

FOLLOWED = "好的，有了消息我发一条给您。发 /follow 可以随时停。"
FOLLOWED_ALREADY = "已经记着了。发 /follow 可以随时停。"
FOLLOW_TOO_MANY = "您关注的已经有 {count} 个，先用 /follow 停掉几个吧。"
FOLLOW_LIST = "您关注着这些，内容变了或者有了答案，我发一条给您。点一下就不再关注："
FOLLOW_NONE = "您还没有关注什么。点回答下面的 🔔，那件事的内容变了，或者没答上来的有了答案，我就发一条给您。"
FOLLOW_STOP_ALL = "🔕 全部不再关注"
UNFOLLOWED = "不再关注了。"

PRIVACY = (
    "您问的话会记下来，用来改进回答：存之前先抹掉电话、证件号、住址这些，不存您的名字和账号，只存一个每月换一次的代号，"
    "{days} 天后删除。您设的常住地区和关注的事，要等您删掉才删；关注了事情，才另外存着怎样发消息给您。"
    "群里不对我说的话，我不看也不存。发 /forget 可以删掉我存的您的一切；备份里的最迟也在 {days} 天后消失。"
)
FORGET_ASK = "要删掉我存的您的一切吗？包括问过的话、评价、常住地区和关注。删了就找不回来。"
FORGET_DO, FORGET_NOT = "删掉", "算了"
FORGOTTEN = "都删掉了。"
KEPT = "好的，没有删。"

ADMIN_ONLY = "这个命令只给管理员用。"
STATS = "今天 {total} 个问题：{statuses}。\n👍 {up}，👎 {down}。\n知识版本 {version}，{entries} 条。"
GAPS = "近 30 天没答上来的，问得最多的："
OPEN_GAPS = "待处理的缺口，问的人多的在前（前面是编号）："
NO_GAPS = "近 30 天没有答不上来的问题。"

COMMANDS = (
    ("start", "开始", "Start"),
    ("help", "能问什么", "What I can answer"),
    ("topics", "按主题或地区看", "Browse by theme or district"),
    ("ask", "提问（在群里用）", "Ask a question (in groups)"),
    ("region", "设常住地区", "Set your home district"),
    ("feedback", "提意见", "Send feedback"),
    ("follow", "看看关注了什么", "What you follow"),
    ("privacy", "存了我什么", "What is stored"),
    ("forget", "删掉我的一切", "Delete my data"),
)
ADMIN_COMMANDS = (
    ("stats", "今天的数字", "Today's figures"),
    ("gaps", "没答上来的问题", "Questions without an answer"),
    ("reload", "重新读知识", "Reload the knowledge"),
)
