//! What is known of a method by its path, from the contract itself.

use std::collections::HashMap;
use std::sync::Arc;

use prost::Message;
use prost_types::FileDescriptorSet;

/// Methods of the contract. Cheap to clone.
#[derive(Clone)]
pub(super) struct Methods(Arc<HashMap<String, (Shape, Place)>>);

/// How a method talks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One request, one response.
    Unary,
    /// One of the two is a stream.
    Streaming,
}

/// Which of several servers answers a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Whichever is asked.
    Here,
    /// The owner of what it changes.
    Owner,
    /// The one that hands work out, and does what one does for all.
    Desk,
}

/// Services whose methods change executions, or ask who has them in memory.
const OF_OWNERS: [&str; 3] = ["ExecutionService", "TaskService", "ActionService"];

/// Services of the one that hands work out.
const OF_DESK: [&str; 2] = ["WorkerService", "WorkerAdminService"];

/// Methods that tell what the one that hands work out knows.
const WITH_DESK: [&str; 4] = [
    "GetActionExecution",
    "ListActionExecutions",
    "GetAction",
    "ListActions",
];

fn place(service: &str, method: &str) -> Place {
    let is_of_desk = OF_DESK.contains(&service) || WITH_DESK.contains(&method);
    if is_of_desk || method.contains("Batch") {
        Place::Desk
    } else if OF_OWNERS.contains(&service) {
        Place::Owner
    } else {
        Place::Here
    }
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
                    let place = place(service.name(), method.name());
                    methods.insert(path, (shape, place));
                }
            }
        }
        Self(Arc::new(methods))
    }

    /// The shape of a method of the contract; others, such as those of health, are not known.
    pub(super) fn shape(&self, path: &str) -> Option<Shape> {
        self.0.get(path).map(|(shape, _)| *shape)
    }

    /// Where a method is answered, if there are several servers.
    pub(super) fn place(&self, path: &str) -> Place {
        self.0.get(path).map_or(Place::Here, |(_, place)| *place)
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

    #[test]
    fn methods_are_answered_where_they_can_be() {
        let methods = Methods::of_contract();
        for (path, place) in [
            ("/autan.v1.ExecutionService/StartExecution", Place::Owner),
            ("/autan.v1.ExecutionService/WatchExecution", Place::Owner),
            (
                "/autan.v1.ExecutionService/BatchUpdateExecutions",
                Place::Desk,
            ),
            ("/autan.v1.WorkerService/Connect", Place::Desk),
            ("/autan.v1.WorkflowService/CreateWorkflow", Place::Here),
            ("/grpc.health.v1.Health/Watch", Place::Here),
        ] {
            assert_eq!(methods.place(path), place, "{path}");
        }
    }
}
