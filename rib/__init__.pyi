from rib.config.call import Result as Result
from rib.config.call import frames as frames
from rib.config.call import interpolate as interpolate
from rib.io.errors import RibError as RibError

__version__: str
