"""The rules that recognise refusals by their replies, each with the kind of failure and a remedy.

The first rule that fits decides. Codes and words are in lower case: codes are the values of `code`, `type`, `status` and
similar fields of a reply, and words are parts of its message. `seen_at` names servers that reply like this, by their
documentation or by recorded replies. docs/models.md shows this table.
"""

from collections.abc import Iterable

from resources.endpoints.failure_kinds import FailureRule


def rule_of(status: int, codes: Iterable[str], message: str) -> FailureRule:
    """The first rule that fits a reply. codes: its error codes; message: its text; both in lower case."""
    codes = frozenset(codes)
    for rule in RULES:
        if rule.fits(status, codes, message):
            return rule
    return SERVER_FAULT if status >= 500 else REDIRECTED if 300 <= status < 400 else REFUSED


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _words(text: str) -> tuple[str, ...]:
    """Split at bars; `~` stands for a leading space."""
    return tuple(word.strip().replace("~", " ") for word in text.split("|"))


_KEY = "Check the API key: `llm.api_key` (SEEDBANK_LLM__API_KEY), or `embeddings.api_key` for embeddings."
_TOP_UP = "Top up the account or raise its limit, then run again: only unfinished work is sent."
_TOO_LONG = (
    "Lower `llm.context_tokens` to the model's context window (prompt and answer together): longer documents are then read "
    "in parts."
)
_SHORTER_CHUNKS = "Lower `chunks.characters`, so that each text fits into the context window of the embedding model."
_NO_JSON = "This server supports none of the output modes: configure another model or provider."
_PARAMETER = "If the message names a parameter, correct it in `llm.parameters` or in the setting of that name."
_EMBEDDING_PARAMETER = (
    "If the message names a parameter, correct it in `embeddings.parameters` or in the setting of that name."
)
_RUN_AGAIN = "Run again: only unfinished work is sent."

REFUSED = FailureRule(
    "refused",
    "document",
    "If the message names a parameter, correct it in the settings (docs/configuration.md). If the text is too long, lower "
    "`llm.context_tokens`.",
    vectors="If the message names a parameter, correct it in the settings (docs/configuration.md). If a text is too long, "
    "lower `chunks.characters`; if a request has too many texts, lower `embeddings.batch`.",
)
REDIRECTED = FailureRule(
    "redirect",
    "endpoint",
    "Set `base_url` to the address to which the server redirects.",
    frozenset({301, 302, 303, 307, 308}),
)
SERVER_FAULT = FailureRule("server's fault", "passing", _RUN_AGAIN)

RULES: tuple[FailureRule, ...] = (
    FailureRule(
        "payment required",
        "account",
        _TOP_UP,
        frozenset({402}),
        seen_at="OpenRouter, DeepSeek, Together, xAI",
    ),
    FailureRule(
        "quota of the day",
        "account",
        "Wait until the next day or upgrade the plan, then run again: only unfinished work is sent.",
        frozenset({429}),
        words=_words("perday | per-day | daily quota | daily limit"),
        seen_at="Gemini (`quotaId`), OpenRouter",
    ),
    FailureRule(
        "quota of the minute",
        "passing",
        "Run again, or lower `llm.rpm` first: only unfinished work is sent.",
        frozenset({429}),
        codes=_codes("resource_exhausted"),
        by_chance=True,
        seen_at="Gemini, Vertex AI",
    ),
    FailureRule(
        "no credit",
        "account",
        _TOP_UP,
        frozenset({400, 401, 403, 412, 429}),
        codes=_codes(
            "1113 allocationquota.freetieronly arrearage billing_error billing_hard_limit_reached billing_not_active "
            "blocked_api_access budget_exceeded credit_limit exceeded_current_quota_error insufficient_balance "
            "insufficient_credits insufficient_funds insufficient_quota insufficient_user_quota payment_required "
            "spend_limit_exceeded"
        ),
        words=_words(
            "credit balance is too low | exceeded your current quota | insufficient balance | insufficient "
            "credit | insufficient quota | insufficient funds | out of credits | more credits | any "
            "credits | no credits left | key limit exceeded | billing hard limit | check your billing | "
            "spending limit | spend limit | budget has been exceeded | exceededbudget | monthly budget | in arrears | "
            "account is suspended | balance is insufficient | balance is not enough | not enough credit | not enough "
            "balance | not enough quota | api usage limits | monthly quota | monthly limit | free tier of the "
            "model has been exhausted | 余额不足 | 欠费"
        ),
        seen_at="OpenAI, Anthropic, DeepSeek, Moonshot, Zhipu, Alibaba, xAI, LiteLLM, OpenRouter",
    ),
    FailureRule(
        "no credit",
        "account",
        _TOP_UP,
        frozenset({400, 403}),
        codes=_codes("quota_exceeded quotaexceeded"),
        words=_words("quota exceeded | exceeded its quota | call volume quota"),
        seen_at="Google, Azure's gateways",
    ),
    FailureRule(
        "asked too often",
        "passing",
        "Run again, or lower `llm.rpm` first: only unfinished work is sent.",
        frozenset({400, 403}),
        codes=_codes(
            "rate_limit_error rate_limit_exceeded ratelimitexceeded throttlingexception userratelimitexceeded"
        ),
        words=_words("rate limit | too many requests | throttl"),
        vectors="Run again, or lower `embeddings.rpm` first: only unfinished work is sent.",
        by_chance=True,
        seen_at="Google, AWS, GitHub",
    ),
    FailureRule(
        "larger than the plan allows",
        "setting",
        "Lower `llm.context_tokens`, so that one request fits into the plan's tokens per minute.",
        frozenset({413, 429}),
        words=_words("request too large for | must be reduced in order to run"),
        vectors="Lower `embeddings.batch`, so that one request fits into the plan's tokens per minute.",
        seen_at="Groq, OpenAI",
    ),
    FailureRule(
        "wrong key",
        "endpoint",
        _KEY,
        frozenset({400, 403}),
        codes=_codes("api_key_invalid authentication_error invalid_api_key unauthenticated"),
        words=_words("api key not valid | api key expired | invalid api key | incorrect api key | api key not found"),
        seen_at="Gemini, proxies",
    ),
    FailureRule("wrong key", "endpoint", _KEY, frozenset({401}), seen_at="all"),
    FailureRule(
        "not let in",
        "endpoint",
        "Check that the key may use this model, and that this account, IP address and country are allowed.",
        frozenset({400, 403}),
        codes=_codes(
            "key_model_access_denied model_not_allowed organization_restricted permission_denied "
            "permission_error team_model_access_denied unsupported_country_region_territory"
        ),
        words=_words(
            "have access to model | have access to the model | not allowed to access model | territory not "
            "supported | user location is not supported | organization has been restricted"
        ),
        seen_at="OpenAI, Anthropic, Gemini, Groq, LiteLLM",
    ),
    FailureRule(
        "content refused",
        "document",
        "A filter of the provider refuses this text: exclude the document (.seedbankignore), or configure another model or "
        "provider.",
        frozenset({400, 422, 451}),
        codes=_codes(
            "1301 content_blocked content_filter content_policy_violation data_inspection_failed "
            "datainspectionfailed invalid_prompt moderation_blocked responsibleaipolicyviolation"
        ),
        words=_words(
            "content management policy | content filter | content policy | usage polic | content exists "
            "risk | considered high risk | inappropriate content | prohibited_content | prohibited content "
            "| safety system | moderation | flagged | guardrail"
        ),
        seen_at="Azure, OpenAI, DeepSeek, Moonshot, Alibaba, Zhipu, Bedrock",
    ),
    FailureRule(
        "forbidden",
        "document",
        "A content filter or a firewall in front of the server refuses this text but accepts others: exclude the document "
        "(.seedbankignore), or have the text allowed.",
        frozenset({403}),
        first_step="probe",
        seen_at="OpenRouter (moderation), Cloudflare, AWS and other firewalls",
    ),
    FailureRule(
        "still loading",
        "passing",
        "Check in the server's log that it loads the model, then run again: only unfinished work is sent.",
        frozenset({400, 500, 502, 503}),
        words=_words(
            "loading model | loading the model | model loading | is loading | currently loading | still loading | being "
            "loaded | warming up | starting up | cold start | model is not ready"
        ),
        first_step="wait for model",
        seen_at="llama.cpp, Ollama, LM Studio, Hugging Face",
    ),
    FailureRule(
        "nothing came of it",
        "passing",
        "Run again. If the failure stays, a lower `llm.temperature` or a stronger model may help.",
        frozenset({400, 422, 500}),
        codes=_codes("json_validate_failed model_error output_parse_failed tool_use_failed"),
        words=_words(
            "failed to validate json | failed to generate | failed_generation | produced invalid | generated invalid | "
            "generate valid | generating a valid | generated json | not generate a valid"
        ),
        by_chance=True,
        seen_at="Groq, OpenAI",
    ),
    FailureRule(
        "the model went away",
        "passing",
        "Check in the server's log why it unloaded the model, then run again: only unfinished work is sent.",
        frozenset({400, 404, 500}),
        words=_words("model unloaded | model reloaded | model has crashed | channel error | runner process"),
        seen_at="LM Studio, Ollama",
    ),
    FailureRule(
        "text longer than the context",
        "setting",
        _TOO_LONG,
        frozenset({400, 413, 422, 500}),
        codes=_codes(
            "context_length_exceeded exceed_context_size_error input_too_long request_too_large string_above_max_length"
        ),
        words=_words(
            "context length | context size | context window | prompt is too long | prompt too long | input "
            "is too long | text is too long | too many tokens | input length | maximum sequence length | "
            "increase the physical batch size | maximum input length | must have less than | token limit | "
            "token count exceeds | string too long"
        ),
        vectors=_SHORTER_CHUNKS,
        seen_at="OpenAI, Azure, vLLM, llama.cpp, Ollama, Anthropic, Mistral, Gemini, TEI",
    ),
    FailureRule(
        "too many texts in a request",
        "setting",
        "Lower `llm.context_tokens`.",
        frozenset({400, 413, 422}),
        codes=_codes("max_tokens_per_request"),
        words=_words(
            "batch size | in one batch | array too long | too many inputs | too many texts | number of "
            "texts | number of inputs | per request | per submitted batch | larger than 10 | tokens in batch"
        ),
        vectors="Lower `embeddings.batch`, the number of texts in one request.",
        seen_at="Alibaba, TEI, Gemini, OpenAI, Mistral, Cohere, Voyage",
    ),
    FailureRule(
        "answer longer than the model writes",
        "setting",
        "Lower `llm.max_output_tokens` to what the model can write.",
        frozenset({400, 422}),
        words=_words(
            "max_tokens is too large | max_completion_tokens is too large | supports at most | max_tokens: "
            "| maximum allowed number of output tokens | max_tokens` must be | max_tokens must be"
        ),
        seen_at="OpenAI, Anthropic, Groq",
    ),
    FailureRule(
        "name of the answer's limit",
        "setting",
        "Set the limit in `llm.parameters` under the server's name for it (`max_tokens` or `max_completion_tokens`).",
        frozenset({400, 404, 422}),
        words=_words(
            "max_completion_tokens | 'max_tokens' is not supported | max_tokens is not supported | "
            "parameter: 'max_tokens' | parameter: max_tokens | supplied: max_tokens"
        ),
        first_step="other parameter name",
        seen_at="Azure, OpenAI; older servers the other way round",
    ),
    FailureRule(
        "form of vectors",
        "setting",
        "Give the form that this server knows in `embeddings.parameters` (`encoding_format`).",
        frozenset({400, 404, 422, 500}),
        words=_words("encoding_format | encoding format | encodingformat"),
        first_step="omit parameter",
        seen_at="OpenRouter, Gemini, older servers",
    ),
    FailureRule(
        "how long to stay loaded",
        "setting",
        'Set `keep_alive` to a time such as "10m", or to a number of seconds.',
        frozenset({400, 500}),
        words=_words("keep_alive | keep alive | unit in duration | invalid duration | unknown unit"),
        seen_at="Ollama",
    ),
    FailureRule(
        "way of asking for structured answers",
        "setting",
        _NO_JSON,
        frozenset({404}),
        words=_words("no endpoints found that can handle | no endpoints found that support"),
        first_step="next output mode",
        seen_at="OpenRouter",
    ),
    FailureRule(
        "way of asking for structured answers",
        "setting",
        _NO_JSON,
        frozenset({500, 501}),
        words=_words("response_format | json_schema | json schema | grammar"),
        first_step="next output mode",
        seen_at="llama.cpp, Ollama",
    ),
    FailureRule(
        "way of asking for structured answers",
        "setting",
        _NO_JSON,
        frozenset({400, 415, 422}),
        words=_words("response_format | json_object | json mode | schema | structured | grammar | guided | ~format"),
        first_step="next output mode",
        seen_at="vLLM, llama.cpp, LM Studio, Ollama, DeepSeek, Groq",
    ),
    FailureRule(
        "temperature",
        "setting",
        'Set `llm.temperature = "server"`: this model accepts only its own temperature.',
        frozenset({400, 422}),
        words=_words("temperature"),
        seen_at="OpenAI",
    ),
    FailureRule(
        "unknown model",
        "endpoint",
        "Check `model`: the server does not know it (with Ollama, run `ollama pull` for it first).",
        frozenset({400, 404, 410, 422}),
        codes=_codes(
            "deploymentnotfound invalid_model model_decommissioned model_not_available model_not_found unknown_model"
        ),
        words=_words(
            "model not found | try pulling it | not a valid model | invalid model | unknown model | model "
            "does not exist | no models loaded | no model loaded | decommissioned | not support chat | not "
            "support embed | not support generate"
        ),
        seen_at="OpenAI, Azure, Groq, Ollama, OpenRouter, LiteLLM, LM Studio",
    ),
    FailureRule(
        "unknown parameter",
        "setting",
        _PARAMETER,
        frozenset({400, 422}),
        codes=_codes("extra_forbidden unknown_parameter unsupported_parameter unsupported_value"),
        words=_words(
            "unrecognized request argument | unknown parameter | unsupported parameter | extra inputs are "
            "not permitted | unknown name | unknown field | invalid option | unexpected keyword"
        ),
        vectors=_EMBEDDING_PARAMETER,
        seen_at="OpenAI, Mistral, Gemini, vLLM, Ollama",
    ),
    FailureRule(
        "larger than the server takes",
        "setting",
        _TOO_LONG,
        frozenset({413}),
        vectors="Lower `embeddings.batch`, or `chunks.characters` if the batch is 1 already.",
        seen_at="proxies, TEI, Anthropic",
    ),
    FailureRule(
        "wrong address or model",
        "endpoint",
        "Check `base_url` and `model`: the server does not know one of them.",
        frozenset({404, 405, 410, 421}),
        seen_at="all",
    ),
    FailureRule(
        "proxy's login",
        "endpoint",
        "The proxy requires a login: put user and password into HTTPS_PROXY or HTTP_PROXY.",
        frozenset({407}),
        seen_at="proxies",
    ),
    REDIRECTED,
    FailureRule(
        "for now",
        "passing",
        _RUN_AGAIN,
        frozenset({408, 409, 420, 424, 425, 429, 444, 449, 460, 498, 499}),
        seen_at="all",
    ),
    FailureRule(
        "server's fault, under another status",
        "passing",
        _RUN_AGAIN,
        frozenset({400, 422}),
        codes=_codes("api_error engine_overloaded internal_error internal_server_error overloaded_error server_error"),
        words=_words(
            "internal server error | internal error | temporarily unavailable | overloaded | server is busy | try again "
            "later | upstream | timed out | bad gateway | service unavailable"
        ),
        seen_at="gateways, OpenRouter",
    ),
)
