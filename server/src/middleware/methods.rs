//! What is known of a method by its path, from the contract itself.

use std::collections::HashMap;
use std::sync::Arc;

use prost::Message;
use prost_types::FileDescriptorSet;

/// Methods of the contract. Cheap to clone.
#[derive(Clone)]
pub(super) struct Methods(Arc<HashMap<String, Shape>>);

/// How a method talks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One request, one response.
    Unary,
    /// One of the two is a stream.
    Streaming,
}

impl Methods {
    /// Reads them from the descriptors.
    pub(super) fn of_contract() -> Self {
        let descriptors = FileDescriptorSet::decode(proto::FILE_DESCRIPTOR_SET);
        let descriptors = descriptors.expect("the descriptors are checked in with the stubs");
        let mut methods = HashMap::new();
        for file in &descriptors.file {
            for service in &file.service {
                for method in &service.method {
                    let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                    let is_stream = method.server_streaming() || method.client_streaming();
                    let shape = if is_stream {
                        Shape::Streaming
                    } else {
                        Shape::Unary
                    };
                    methods.insert(path, shape);
                }
            }
        }
        Self(Arc::new(methods))
    }

    /// The shape of a method of the contract; others, such as those of health, are not known.
    pub(super) fn shape(&self, path: &str) -> Option<Shape> {
        self.0.get(path).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_known_by_their_path() {
        let methods = Methods::of_contract();
        for (path, shape) in [
            (
                "/autan.v1.ExecutionService/StartExecution",
                Some(Shape::Unary),
            ),
            (
                "/autan.v1.ExecutionService/WatchExecution",
                Some(Shape::Streaming),
            ),
            ("/autan.v1.SystemService/GetServerInfo", Some(Shape::Unary)),
            ("/autan.v1.SystemService/Reboot", None),
            ("/grpc.health.v1.Health/Watch", None),
        ] {
            assert_eq!(methods.shape(path), shape, "{path}");
        }
    }
}
