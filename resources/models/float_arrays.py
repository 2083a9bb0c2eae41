"""The type of vectors, for annotations in modules that are imported where nothing is computed.

Importing NumPy takes a tenth of a second, which `show`, `status` and a plan would spend for annotations alone. So the type is Any
at run time, which says as much to codecs as the array's own type: arrays are stored with their shape and type.
"""

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Float32Array: TypeAlias = NDArray[np.float32]
else:
    Float32Array = Any
