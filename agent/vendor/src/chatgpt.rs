//! `chatgpt.prompt`: a question to a language model.

use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::exchange::{Exchange, Until, join};
use crate::retry::Retry;
use crate::scrub::Secrets;
use crate::slack::{json, with_json};
use crate::{Error, Vendor};

/// Tokens of an answer where the script says nothing.
const MAX_TOKENS: u32 = 1024;

/// `chatgpt.prompt(apiKey, prompt, maxTokens)`.
#[derive(Clone, Copy, Default)]
pub struct Prompt<'a> {
    /// The key of the service. An empty one sends none, for services inside a cluster that want none.
    pub api_key: &'a str,
    /// The question.
    pub prompt: &'a str,
    /// How long the answer may be, in the model's tokens. 1024 where absent.
    pub max_tokens: Option<u32>,
}

#[derive(Serialize)]
struct Completion<'a> {
    model: &'a str,
    messages: [Message<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'a str,
    content: &'a str,
}

#[derive(Deserialize)]
struct Completed {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
}

#[derive(Deserialize)]
struct Said {
    content: Option<String>,
    refusal: Option<String>,
}

impl Vendor {
    /// Asks the configured model (`chat/completions`) and returns its answer without the space around it.
    ///
    /// OpenAI's own service is told the limit as `max_completion_tokens`, which its newer models require; others as
    /// `max_tokens`, which they all know. Repeated after broken connections, 429 and 5xx, but not when the account has no
    /// money left.
    ///
    /// # Errors
    ///
    /// Any status outside 2xx; an answer without text.
    pub async fn prompt(&self, request: Prompt<'_>) -> Result<String, Error> {
        let config = &self.0.config;
        let url = join(&config.chatgpt_base_url, "chat/completions", "chatgpt_base_url")?;
        let limit = Some(request.max_tokens.filter(|&limit| limit > 0).unwrap_or(MAX_TOKENS));
        let own = url.host_str() == Some("api.openai.com");
        let (max_completion_tokens, max_tokens) = if own { (limit, None) } else { (None, limit) };
        let body = json(&Completion {
            model: &config.chatgpt_model,
            messages: [Message { role: "user", content: request.prompt }],
            max_completion_tokens,
            max_tokens,
        })?;
        let mut secrets = Secrets::of([request.api_key]);
        secrets.add_url(&url);
        let exchange = Exchange {
            until: Until::after(config.chatgpt_deadline),
            ..self.exchange(&Method::POST, &url, &secrets, Retry::Repeatable)
        };
        let answer = exchange
            .success(|| {
                let mut builder = with_json(self.0.client.post(url.clone()), &body);
                if !request.api_key.is_empty() {
                    builder = builder.bearer_auth(request.api_key);
                }
                builder
            })
            .await?;
        let completed: Completed = exchange.json(&answer)?;
        let said = completed.choices.into_iter().next().map(|choice| choice.message);
        said.and_then(|said| said.content.or(said.refusal))
            .map(|text| text.trim().to_owned())
            .ok_or_else(|| exchange.answer(&answer, "no text"))
    }
}
