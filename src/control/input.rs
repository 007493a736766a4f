//! What handlers take of a request: a name in its path, its query, its body. What a handler does not take must not be
//! there, so that nothing a test writes is ignored.

use std::time::Duration;

use axum::RequestExt as _;
use axum::extract::{RawPathParams, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Required, Type};
use utoipa::{IntoParams, ToSchema};
use zeroize::Zeroizing;

use super::description::Description;
use super::fault::Fault;
use super::json::{self, Source};
use crate::crypto::strict_json::{Bounds, StrictJsonError, parse_object_within};
use crate::http::body::{BodyLimits, read_body};
use crate::http::form::Form;

/// A catalog of some thousand clients fits.
pub(super) const BODY: BodyLimits = BodyLimits {
    bytes: 4 * 1024 * 1024,
    time: Duration::from_secs(10),
};
/// A catalog as JSON may have so many members and levels; a body is bounded anyhow.
const JSON_BOUNDS: Bounds = Bounds {
    depth: 32,
    members: 100_000,
};

/// A whole request, of which parts are taken.
pub(super) struct Pieces {
    names: Vec<(String, String)>,
    query: Map<String, Value>,
    headers: HeaderMap,
    body: Zeroizing<Vec<u8>>,
}

/// A part of a request.
pub(super) trait Part: Sized + Send {
    /// Takes it out.
    ///
    /// # Errors
    /// It is missing, or wrong.
    fn take(pieces: &mut Pieces) -> Result<Self, Fault>;

    /// Says what it is.
    fn describe(to: &mut Description);
}

/// The one name in the path: `orders` of `/_test/issuers/{name}`.
pub(super) struct Name(pub(super) String);

/// The parameters of the query.
pub(super) struct Query<T>(pub(super) T);

/// The body, which is a JSON object. As `Option`, it may be absent.
pub(super) struct Body<T>(pub(super) T);

/// The body, whatever it is, and its media type in lower case and without parameters (empty where none is said).
pub(super) struct AnyBody {
    pub(super) media_type: String,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl Pieces {
    pub(super) async fn of(mut request: Request) -> Result<Self, Fault> {
        let names = match request.extract_parts::<RawPathParams>().await {
            Ok(params) => params
                .iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            // A path without names has none.
            Err(_) => Vec::new(),
        };
        let query = parameters(request.uri().query().unwrap_or_default())?;
        let (head, body) = request.into_parts();
        let body = read_body(&head.headers, body, BODY)?.await?;
        Ok(Self {
            names,
            query,
            headers: head.headers,
            body,
        })
    }

    /// Nothing may be left that nobody took.
    ///
    /// # Errors
    /// Something is.
    pub(super) fn finish(&mut self) -> Result<(), Fault> {
        if let Some(key) = self.query.keys().next() {
            return json::read::<Empty>(&self.query, Source::Query)
                .map(drop)
                .map_err(|fault| fault.at(key.as_str()));
        }
        if self.body.is_empty() {
            Ok(())
        } else {
            Err(Fault::invalid("this takes no body: leave it out"))
        }
    }

    fn object(&mut self) -> Result<Map<String, Value>, Fault> {
        let media_type = media_type(&self.headers);
        if media_type != "application/json" {
            return Err(Fault::invalid(
                "a body must be JSON, and say so: Content-Type: application/json",
            ));
        }
        object(&std::mem::take(&mut self.body))
    }
}

/// The JSON object that a body is.
///
/// # Errors
/// 400 with what is wrong, and where.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Fault> {
    parse_object_within(body, JSON_BOUNDS).map_err(|fault| {
        let detail = match fault {
            StrictJsonError::Syntax => {
                let found = serde_json::from_slice::<IgnoredAny>(body).err();
                found.map(|error| error.to_string())
            }
            _ => None,
        };
        let detail = detail.unwrap_or_else(|| fault.to_string());
        Fault::invalid(format!("the body must be one JSON object: {detail}"))
    })
}

/// Nothing.
#[derive(serde::Deserialize)]
struct Empty {}

fn parameters(query: &str) -> Result<Map<String, Value>, Fault> {
    let mut parameters = Map::new();
    for (name, value) in Form::parse_body(query.as_bytes())?.into_pairs() {
        let value = Value::String(value.as_str().to_owned());
        if parameters.insert(name.clone(), value).is_some() {
            return Err(Fault::invalid("a parameter stands here twice").at(name));
        }
    }
    Ok(parameters)
}

fn media_type(headers: &HeaderMap) -> String {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let first = values.next().and_then(|value| value.to_str().ok());
    let first = first.filter(|_| values.next().is_none());
    let media_type = first.unwrap_or_default().split(';').next();
    media_type.unwrap_or_default().trim().to_ascii_lowercase()
}

impl Part for Name {
    fn take(pieces: &mut Pieces) -> Result<Self, Fault> {
        let (_, name) = pieces
            .names
            .pop()
            .ok_or_else(|| Fault::invalid("a name in the path is no text in UTF-8"))?;
        Ok(Self(name))
    }

    fn describe(to: &mut Description) {
        let (_, after) = to.path.split_once('{').unwrap_or_default();
        let (name, _) = after.split_once('}').unwrap_or_default();
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        to.parameters.push(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(text))
                .build(),
        );
    }
}

impl<T: DeserializeOwned + IntoParams + Send> Part for Query<T> {
    fn take(pieces: &mut Pieces) -> Result<Self, Fault> {
        let query = std::mem::take(&mut pieces.query);
        json::read(&query, Source::Query).map(Self)
    }

    fn describe(to: &mut Description) {
        to.parameters
            .extend(T::into_params(|| Some(ParameterIn::Query)));
    }
}

impl<T: DeserializeOwned + ToSchema + Send> Part for Body<T> {
    fn take(pieces: &mut Pieces) -> Result<Self, Fault> {
        if pieces.body.is_empty() {
            return Err(Fault::invalid(
                "this needs a body: a JSON object with Content-Type: application/json",
            ));
        }
        let object = pieces.object()?;
        json::read(&object, Source::Body).map(Self)
    }

    fn describe(to: &mut Description) {
        to.body = Some(body::<T>(to, Required::True));
    }
}

impl<T: Default> Body<T> {
    /// What the body says; where there is none, what its type has for that.
    pub(super) fn or_default(body: Option<Self>) -> T {
        body.map_or_else(T::default, |Self(said)| said)
    }
}

impl<T: DeserializeOwned + ToSchema + Send> Part for Option<Body<T>> {
    fn take(pieces: &mut Pieces) -> Result<Self, Fault> {
        if pieces.body.is_empty() {
            return Ok(None);
        }
        Body::take(pieces).map(Some)
    }

    fn describe(to: &mut Description) {
        to.body = Some(body::<T>(to, Required::False));
    }
}

impl Part for AnyBody {
    fn take(pieces: &mut Pieces) -> Result<Self, Fault> {
        Ok(Self {
            media_type: media_type(&pieces.headers),
            bytes: std::mem::take(&mut pieces.body),
        })
    }

    fn describe(to: &mut Description) {
        let any = ContentBuilder::new().build();
        to.body = Some(RequestBodyBuilder::new().content("*/*", any).build());
    }
}

fn body<T: ToSchema>(
    to: &mut Description,
    required: Required,
) -> utoipa::openapi::request_body::RequestBody {
    let content = ContentBuilder::new().schema(Some(to.schema::<T>())).build();
    RequestBodyBuilder::new()
        .required(Some(required))
        .content("application/json", content)
        .build()
}
