//! The description of the API (`openapi.json`): what holds for all of it, added to what each handler says of itself.
//! It must not know what any handler does.

use axum::http::Method;
use utoipa::{
    OpenApi, PartialSchema, ToSchema,
    openapi::{
        self, Components, Content, Ref, RefOr, Response, ResponseBuilder,
        path::Operation,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    auth::{COOKIE, is_safe, right_for},
    problem::Problem,
};

/// The media type of errors.
const PROBLEM_JSON: &str = "application/problem+json";

/// What the description says of the whole API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tickmark",
        description = "Statistics of SIP servers: live values, what is recorded, and its history. Times are epoch milliseconds UTC in answers, RFC 3339 or epoch milliseconds in questions; intervals and spans are written 500ms, 10s, 24h. Errors are application/problem+json."
    ),
    modifiers(&Doors, &Errors),
    security(("session" = []), ("token" = []))
)]
pub(super) struct Description;

/// The two ways to be let in.
struct Doors;

impl utoipa::Modify for Doors {
    fn modify(&self, openapi: &mut openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE)));
        components.add_security_scheme("session", cookie);
        components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// An error that more than one operation can answer.
struct Shared {
    status: &'static str,
    /// Its name among the components.
    name: &'static str,
    description: &'static str,
    /// Whether an operation can answer it.
    applies: fn(&Asked<'_>) -> bool,
}

/// An operation, as far as it decides which errors there can be.
struct Asked<'a> {
    method: Method,
    path: &'a str,
    operation: &'a Operation,
}

impl Asked<'_> {
    fn needs_caller(&self) -> bool {
        self.operation.security.as_ref().is_none_or(|doors| !doors.is_empty())
    }
}

const SHARED: [Shared; 7] = [
    Shared {
        status: "400",
        name: "WrongQuestion",
        description: "The path, a field or the body is not right; the problem says which and what is allowed",
        applies: |asked| asked.operation.request_body.is_some() || asked.operation.parameters.as_ref().is_some_and(|all| !all.is_empty()),
    },
    Shared { status: "401", name: "NotSignedIn", description: "Neither a session nor a token", applies: |asked| asked.needs_caller() },
    Shared {
        status: "403",
        name: "NotAllowed",
        description: "The token's scope does not cover it, it is read-only here, or another site's page sent it",
        applies: |asked| !is_safe(&asked.method) || asked.needs_caller() && right_for(&asked.method, asked.path).is_some(),
    },
    Shared {
        status: "413",
        name: "TooLarge",
        description: "The body is larger than 1 MiB",
        applies: |asked| asked.operation.request_body.is_some(),
    },
    Shared { status: "415", name: "NotJson", description: "The body is not application/json", applies: |asked| !is_safe(&asked.method) },
    Shared { status: "500", name: "Failed", description: "The panel failed: its log says why", applies: |_| true },
    Shared {
        status: "503",
        name: "NotNow",
        description: "The database does not answer, or cannot be written: try again",
        applies: |_| true,
    },
];

/// The shape of errors, and those that operations share.
struct Errors;

impl utoipa::Modify for Errors {
    fn modify(&self, openapi: &mut openapi::OpenApi) {
        let components: &mut Components = openapi.components.get_or_insert_default();
        components.schemas.insert(Problem::name().into_owned(), Problem::schema());
        for shared in SHARED {
            let response = ResponseBuilder::new().description(shared.description).content(PROBLEM_JSON, problem_content());
            components.responses.insert(shared.name.to_owned(), response.build().into());
        }
    }
}

fn problem_content() -> Content {
    Content::new(Some(Ref::from_schema_name(Problem::name())))
}

/// Gives every operation the errors that it shares with others, and every error its shape.
pub(super) fn complete(openapi: &mut openapi::OpenApi) {
    for (path, item) in &mut openapi.paths.paths {
        let operations = [
            (Method::GET, &mut item.get),
            (Method::POST, &mut item.post),
            (Method::PUT, &mut item.put),
            (Method::PATCH, &mut item.patch),
            (Method::DELETE, &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                complete_operation(method, path, operation);
            }
        }
    }
}

fn complete_operation(method: Method, path: &str, operation: &mut Operation) {
    // `security(())` is written as a list of one empty requirement, which tools read as "a session is optional".
    if operation.security.as_deref() == Some(&[SecurityRequirement::default()]) {
        operation.security = Some(Vec::new());
    }
    let asked = Asked { method, path, operation };
    let shared: Vec<&Shared> = SHARED.iter().filter(|shared| (shared.applies)(&asked)).collect();
    let responses = &mut operation.responses.responses;
    for shared in shared {
        responses.entry(shared.status.to_owned()).or_insert_with(|| RefOr::Ref(Ref::from_response_name(shared.name)));
    }
    let own = responses.iter_mut().filter(|(status, _)| status.starts_with(['4', '5']));
    for (_, response) in own {
        if let RefOr::T(Response { content, .. }) = response {
            content.entry(PROBLEM_JSON.to_owned()).or_insert_with(|| problem_content().into());
        }
    }
}
