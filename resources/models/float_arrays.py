"""The type of vectors, for annotations in modules that are imported where nothing is computed.

Importing NumPy takes a tenth of a second, which `show`, `status` and a plan would spend for annotations alone. So the type says
what is meant at run time, and no more. Codecs need no more: arrays are stored with their shape and type.
"""

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Float32Array: TypeAlias = NDArray[np.float32]
else:
    # It is no class, as the type of an array with its numbers is none.
    Float32Array = Annotated[Any, "an array of float32"]
