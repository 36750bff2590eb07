"""Calls of SystemService."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autan._core import decode
from autan._core.call import Call, Scope, method
from autan._proto.v1 import system_pb2 as pb

if TYPE_CHECKING:
    from autan import models

_CLUSTER = method("SystemService", pb.GetClusterResponse)
_INFO = method("SystemService", pb.GetServerInfoResponse)


def server_info(scope: Scope) -> Call[models.ServerInfo]:
    """GetServerInfo."""
    request = pb.GetServerInfoRequest(project=scope.project)
    return Call(_INFO, request, decode.server_info)


def cluster() -> Call[models.Cluster]:
    """GetCluster."""
    return Call(_CLUSTER, pb.GetClusterRequest(), decode.cluster)
