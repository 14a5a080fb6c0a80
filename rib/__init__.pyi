from rib.config.call import Result as Result
from rib.config.call import frames as frames
from rib.config.call import interpolate as interpolate
from rib.io.errors import RibError as RibError
from rib.motion.nets.motion_net import MotionNet as MotionNet
from rib.render.nets.renderer_net import RendererNet as RendererNet

__version__: str
